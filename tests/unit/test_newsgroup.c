/* test_newsgroup.c - names of groups and headers made of them. */
#include "protocol/newsgroup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
names_follow_rfc_5536(void **state)
{
	(void)state;
	assert_true(newsgroup_is_valid(span_of("acme.product-1.help_me+")));
	assert_false(newsgroup_is_valid(span_of("")));
	assert_false(newsgroup_is_valid(span_of(".a")));
	assert_false(newsgroup_is_valid(span_of("a.")));
	assert_false(newsgroup_is_valid(span_of("a..b")));
	assert_false(newsgroup_is_valid(span_of("a b")));
	assert_false(newsgroup_is_valid(span_of("a\xc3\xa4")));
}

static void
reserved_names_are_known(void **state)
{
	(void)state;
	assert_true(newsgroup_is_reserved(span_of("poster")));
	assert_true(newsgroup_is_reserved(span_of("junk")));
	assert_true(newsgroup_is_reserved(span_of("example.test")));
	assert_true(newsgroup_is_reserved(span_of("to.site")));
	assert_true(newsgroup_is_reserved(span_of("a.all")));
	assert_true(newsgroup_is_reserved(span_of("ctl.b")));
	assert_false(newsgroup_is_reserved(span_of("acme.to.control")));
	assert_false(newsgroup_is_reserved(span_of("acme.posters")));
}

static void
lists_allow_folds_and_drop_repetitions(void **state)
{
	struct span names[4];

	(void)state;
	assert_int_equal(newsgroup_list_parse(span_of(" a.b ,\r\n c,a.b"),
			     names, 4),
	    2);
	assert_true(span_equal(names[1], span_of("c")));
	assert_int_equal(newsgroup_list_parse(span_of("a,,b"), names, 4),
	    -EINVAL);
	assert_int_equal(newsgroup_list_parse(span_of("a,"), names, 4),
	    -EINVAL);
	assert_int_equal(newsgroup_list_parse(span_of(""), names, 4), -EINVAL);
	assert_int_equal(newsgroup_list_parse(span_of("a,b,c"), names, 2),
	    -E2BIG);
	assert_true(newsgroup_is_poster(span_of(" poster ")));
	assert_false(newsgroup_is_poster(span_of("Poster")));
}

static void
a_path_tells_where_an_article_has_been(void **state)
{
	(void)state;
	assert_true(path_is_valid(span_of("a.example!b!not-for-mail")));
	assert_true(
	    path_is_valid(span_of("a.example!!b!.POSTED.1.2.3.4!\r\n x")));
	assert_false(path_is_valid(span_of("")));
	assert_false(path_is_valid(span_of("a!")));
	assert_false(path_is_valid(span_of("a b\x01")));
	assert_true(
	    path_has(span_of("x!News.Example!y"), span_of("news.example")));
	assert_false(path_has(span_of("x!y"), span_of("y")));
	/* before it was injected it was nowhere (RFC 5537 3.6) */
	assert_true(path_has(span_of("x!y!.POSTED!z"), span_of("y")));
	assert_false(path_has(span_of("x!.POSTED.h!y!z"), span_of("y")));
	assert_true(span_is(path_first(span_of(" x!!y!z")), "x"));
	assert_int_equal(path_first(span_of("not-for-mail")).len, 0);
	assert_true(path_is_posted(span_of("a!.POSTED!b")));
	assert_true(path_is_posted(span_of("a!.POSTED.host!b")));
	assert_false(path_is_posted(span_of("a!POSTED!b")));
}

static void
distributions_are_checked(void **state)
{
	(void)state;
	assert_true(distribution_is_valid(span_of("world, local")));
	assert_false(distribution_is_valid(span_of("world,")));
	assert_false(distribution_is_valid(span_of("+x")));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_follow_rfc_5536),
		cmocka_unit_test(reserved_names_are_known),
		cmocka_unit_test(lists_allow_folds_and_drop_repetitions),
		cmocka_unit_test(a_path_tells_where_an_article_has_been),
		cmocka_unit_test(distributions_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
