/* intake_excerpt.c - a glance at an article, for a moderator.
 */
#include "daemon/community/intake_private.h"

#include "protocol/article.h"
#include "protocol/charset.h"
#include "protocol/dot.h"
#include "protocol/mime.h"
#include "protocol/utf8.h"
#include "protocol/words.h"

#define EXCERPT_LOOK_MAX 65536u /* octets looked at */

static void
leaf_text(struct buffer *out, const struct mime_entity *leaf, struct span bytes)
{
	struct buffer plain, charset;

	buffer_init(&plain, 0);
	buffer_init(&charset, 0);
	mime_decode(&plain,
	    span_make(bytes.bytes + leaf->body, leaf->end - leaf->body),
	    leaf->encoding);
	(void)words_param(&charset, leaf->type_value, "charset");
	charset_to_utf8(out, buffer_span(&plain), buffer_span(&charset));
	buffer_fini(&plain);
	buffer_fini(&charset);
}

/* The first leaf that is plain text. */
void
intake_excerpt(struct span wire, char *text, size_t room)
{
	struct mime_tree tree = { 0 };
	struct buffer plain, out;
	struct span cut;

	if (wire.len > EXCERPT_LOOK_MAX)
		wire.len = EXCERPT_LOOK_MAX;
	buffer_init(&plain, 0);
	buffer_init(&out, 0);
	dot_unstuff(&plain, wire);
	if (mime_tree_parse(buffer_span(&plain), 20, &tree) == 0) {
		for (size_t i = 0; i < tree.count; i++) {
			if (!tree.items[i].leaf ||
			    !span_is(tree.items[i].type, "text/plain"))
				continue;
			leaf_text(&out, &tree.items[i], buffer_span(&plain));
			break;
		}
		mime_tree_fini(&tree);
	}
	cut = utf8_cut(buffer_span(&out), room - 1);
	if (cut.len > 0)
		memcpy(text, cut.bytes, cut.len);
	text[cut.len] = '\0';
	buffer_fini(&plain);
	buffer_fini(&out);
}
