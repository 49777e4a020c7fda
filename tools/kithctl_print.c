/* kithctl_print.c - answers as text for people and as JSON for scripts.
 */
#include "build.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "tools/kithctl.h"

/* A tab or a line end in a value would break the columns. */
static void
print_string(const char *text)
{
	for (; *text != '\0'; text++)
		(void)putchar(*text == '\t' || *text == '\n' || *text == '\r'
			? ' '
			: *text);
}

static void
print_value(const json_t *value)
{
	size_t i;

	if (json_is_string(value)) {
		print_string(json_string_value(value));
	} else if (json_is_boolean(value)) {
		(void)fputs(json_is_true(value) ? "yes" : "no", stdout);
	} else if (json_is_array(value)) {
		for (i = 0; i < json_array_size(value); i++) {
			const json_t *item = json_array_get(value, i);

			(void)fputs(i == 0 ? "" : ",", stdout);
			if (json_is_string(item))
				print_string(json_string_value(item));
			else
				(void)json_dumpf(item, stdout,
				    JSON_COMPACT | JSON_ENCODE_ANY);
		}
	} else if (value != NULL && !json_is_null(value)) {
		(void)json_dumpf(value, stdout, JSON_COMPACT | JSON_ENCODE_ANY);
	}
}

static void
print_rows(const json_t *columns, const json_t *rows)
{
	size_t i, j;

	for (i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		for (j = 0; j < json_array_size(columns); j++) {
			const char *name =
			    json_string_value(json_array_get(columns, j));

			(void)fputs(j == 0 ? "" : "\t", stdout);
			print_value(json_object_get(row, name));
		}
		(void)putchar('\n');
	}
}

static void
print_text(const struct answer *answer)
{
	json_t *result = json_object_get(answer->last, "result");
	const char *text =
	    json_string_value(json_object_get(answer->last, "text"));
	const char *name;
	json_t *value;

	print_rows(json_object_get(answer->last, "columns"), answer->rows);
	if (text != NULL) {
		(void)fputs(text, stdout);
		if (text[0] != '\0' && text[strlen(text) - 1] != '\n')
			(void)putchar('\n');
	} else if (answer->len == 0) {
		json_object_foreach(result, name, value)
		{
			(void)printf("%s: ", name);
			print_value(value);
			(void)putchar('\n');
		}
	}
	if (answer->len > 0)
		(void)fwrite(answer->bytes, 1, answer->len, stdout);
}

/* Bytes that are no UTF-8 (an article in another character set) go as
 * base64. */
static void
add_content(json_t *object, const struct answer *answer)
{
	json_t *content = json_stringn(answer->bytes, answer->len);
	unsigned char *encoded;

	if (content != NULL) {
		(void)json_object_set_new(object, "content", content);
		return;
	}
	encoded = malloc(answer->len / 3 * 4 + 8);
	if (encoded == NULL)
		return;
	(void)EVP_EncodeBlock(encoded, (const unsigned char *)answer->bytes,
	    (int)answer->len);
	(void)json_object_set_new(object, "content_base64",
	    json_string((const char *)encoded));
	free(encoded);
}

static void
print_json(const struct answer *answer)
{
	json_t *result = json_object_get(answer->last, "result");
	json_t *text = json_object_get(answer->last, "text");
	json_t *out;

	if (json_object_get(answer->last, "columns") != NULL &&
	    result == NULL) {
		out = json_incref(answer->rows);
	} else {
		out = result == NULL ? json_object() : json_incref(result);
		if (json_object_get(answer->last, "columns") != NULL)
			(void)json_object_set(out, "rows", answer->rows);
		if (text != NULL && result == NULL)
			(void)json_object_set(out, "text", text);
		if (answer->len > 0 && json_is_object(out))
			add_content(out, answer);
	}
	(void)json_dumpf(out, stdout, JSON_COMPACT);
	(void)putchar('\n');
	json_decref(out);
}

void
error_print(bool json, const char *where, const char *code, const char *text)
{
	json_t *line;

	if (!json) {
		(void)fprintf(stderr, "kithctl: %s%s\n", where, text);
		return;
	}
	line = json_pack("{s:s, s:s}", "error", text, "code", code);
	/* where a reason is looked for, and where JSON is read from */
	(void)json_dumpf(line, stderr, JSON_COMPACT);
	(void)fputc('\n', stderr);
	(void)json_dumpf(line, stdout, JSON_COMPACT);
	(void)putchar('\n');
	json_decref(line);
}

int
answer_print(const struct answer *answer, bool json, const char *where)
{
	const char *error, *code;
	int status = KITHCTL_DONE;

	if (json_is_true(json_object_get(answer->last, "ok"))) {
		if (json)
			print_json(answer);
		else
			print_text(answer);
	} else {
		error =
		    json_string_value(json_object_get(answer->last, "error"));
		code = json_string_value(json_object_get(answer->last, "code"));
		error_print(json, where, code == NULL ? "refused" : code,
		    error == NULL ? "refused" : error);
		status = json_is_true(json_object_get(answer->last, "usage"))
		    ? KITHCTL_USAGE
		    : KITHCTL_REFUSED;
	}
	(void)fflush(stdout);
	return status;
}
