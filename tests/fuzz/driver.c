/* driver.c - replays a corpus through a fuzz target, for compilers without
 * libFuzzer: each argument is a file or a folder of files. Without arguments
 * the corpus of the target is taken, found by the program's name: fuzz_line
 * reads $srcdir/tests/fuzz/corpus/line.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define INPUT_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An exact copy on the heap, so that a sanitizer sees a read past its end. */
static int
replay_bytes(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len == 0 ? 1 : len);

	if (copy == NULL)
		return -1;
	memcpy(copy, bytes, len);
	(void)LLVMFuzzerTestOneInput(copy, len);
	free(copy);
	return 0;
}

static int
replay_file(const char *path, uint8_t *room)
{
	FILE *file = fopen(path, "rb");
	size_t len;

	if (file == NULL) {
		perror(path);
		return -1;
	}
	len = fread(room, 1, INPUT_MAX, file);
	(void)fclose(file);
	return replay_bytes(room, len);
}

static long
replay_folder(const char *path, uint8_t *room)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char name[4096];
	long count = 0;
	int n;

	if (dir == NULL) {
		perror(path);
		return -1;
	}
	while (count >= 0 && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		n = snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
		if (n < 0 || (size_t)n >= sizeof name ||
		    replay_file(name, room) != 0)
			count = -1;
		else
			count++;
	}
	(void)closedir(dir);
	return count;
}

static long
replay(const char *path, uint8_t *room)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return replay_folder(path, room);
	return replay_file(path, room) == 0 ? 1 : -1;
}

static int
corpus_path(const char *program, char *path, size_t size)
{
	const char *srcdir = getenv("srcdir");
	const char *name = strrchr(program, '/');
	int n;

	name = name == NULL ? program : name + 1;
	if (strncmp(name, "fuzz_", 5) == 0)
		name += 5;
	n = snprintf(path, size, "%s/tests/fuzz/corpus/%s",
	    srcdir == NULL ? "." : srcdir, name);
	return n < 0 || (size_t)n >= size ? -1 : 0;
}

int
main(int argc, char **argv)
{
	char corpus[4096];
	uint8_t *room = malloc(INPUT_MAX);
	long count, total = 0;

	if (room == NULL || corpus_path(argv[0], corpus, sizeof corpus) != 0)
		return 1;
	for (int i = 1; i < argc || (argc == 1 && i == 1); i++) {
		count = replay(argc == 1 ? corpus : argv[i], room);
		if (count < 0) {
			free(room);
			return 1;
		}
		total += count;
	}
	free(room);
	(void)printf("%ld inputs replayed\n", total);
	return total > 0 ? 0 : 1;
}
