/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Differences of policies: applied to what was, they give what shall be, in
 * memory and, in a network namespace of this test, in the kernel. The second
 * needs root.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/expr.h>
#include <libnftnl/set.h>
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "modules/isolation/kernel/nft_dump.h"
#include "modules/isolation/policy_delta.h"
#include "modules/isolation/rules/image.h"
#include "tests/unit/isolation_world.h"

#define ROUNDS 200
#define DEVICES 12

static bool in_namespace;

static int set_up(void **state)
{
	(void)state;
	in_namespace = geteuid() == 0 && unshare(CLONE_NEWNET) == 0;
	if (!in_namespace)
		print_message("needs root and network namespaces\n");
	return 0;
}

static void make_image(const struct policy *p, struct image *ret_image)
{
	struct ruleset_input input = {p, &world_topology, NULL, 7};
	char reason[POLICY_REASON] = "";

	if (ruleset_image(&input, ret_image, reason) < 0)
		fail_msg("%s", reason);
}

static void make_part(const struct policy *p, const struct policy_ids *ids,
	struct image *ret_image)
{
	struct policy part;

	policy_pick(p, ids, &part);
	make_image(&part, ret_image);
	policy_pick_free(&part);
}

/* A row of a set, with the set's name: all sets together in one list. */
struct line {
	char bytes[144];
	bool add;
};

struct lines {
	struct line *line;
	size_t n;
};

static void add_line(
	const struct image_set *set, bool add, const uint8_t *row, void *arg)
{
	struct lines *l = arg;
	struct line *line;
	size_t size = (set->interval ? 2u : 1u) * set->key + set->data +
		      (set->limits ? sizeof(struct image_limit) : 0);

	l->line = realloc(l->line, (l->n + 1) * sizeof(*l->line));
	assert_non_null(l->line);
	line = memset(&l->line[l->n++], 0, sizeof(*line));
	snprintf(line->bytes, 48, "%u %s", set->family, set->name);
	assert_true(48 + size <= sizeof(line->bytes));
	memcpy(line->bytes + 48, row, size);
	line->add = add;
}

static int by_line(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct line));
}

static int by_content(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(((struct line *)0)->bytes));
}

static void sort_lines(struct lines *l)
{
	if (l->n)
		qsort(l->line, l->n, sizeof(*l->line), by_line);
}

/* All rows but those of sets that packets fill. */
static void add_rows(struct lines *l, const struct image *image)
{
	for (size_t s = 0; s < image->n; s++)
		for (size_t i = 0; i < image->sets[s].n; i++)
			if (!image->sets[s].changing)
				add_line(&image->sets[s], false,
					image->sets[s].rows +
						i * image_row(&image->sets[s]),
					l);
	sort_lines(l);
}

static struct lines list(const struct image *image)
{
	struct lines l = {0};

	add_rows(&l, image);
	return l;
}

static struct lines difference(struct image *a, struct image *b)
{
	struct lines l = {0};

	image_compare(a, b, add_line, &l);
	return l;
}

static void assert_same_lines(const struct lines *a, const struct lines *b)
{
	assert_int_equal(a->n, b->n);
	if (a->n)
		assert_memory_equal(a->line, b->line, a->n * sizeof(*a->line));
}

/* What is deleted was there, what is added was not; deletions come first. */
static struct lines apply(const struct lines *to, const struct lines *changes)
{
	struct lines l = {0};
	bool adding = false;

	l.line = calloc(to->n + changes->n + 1, sizeof(*l.line));
	assert_non_null(l.line);
	l.n = to->n;
	if (to->n)
		memcpy(l.line, to->line, to->n * sizeof(*l.line));
	for (size_t i = 0; i < changes->n; i++) {
		struct line *found, key = changes->line[i];

		adding |= key.add;
		assert_int_equal(key.add, adding);
		key.add = false;
		sort_lines(&l);
		found = l.n ? bsearch(&key, l.line, l.n, sizeof(key),
				      by_content)
			    : NULL;
		assert_int_equal(found == NULL, adding);
		if (found)
			*found = l.line[--l.n];
		else
			l.line[l.n++] = key;
	}
	sort_lines(&l);
	return l;
}

static void test_any_two(void **state)
{
	struct chance chance = {1};
	size_t changed = 0;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct policy a, b;
		struct image from, to;
		struct lines was, shall, changes, is;

		world_policy(&a, &chance, DEVICES);
		world_policy(&b, &chance, DEVICES);
		make_image(&a, &from);
		make_image(&b, &to);
		was = list(&from);
		shall = list(&to);
		changes = difference(&from, &to);
		is = apply(&was, &changes);
		assert_same_lines(&is, &shall);
		changed += changes.n;
		free(was.line);
		free(shall.line);
		free(changes.line);
		free(is.line);
		image_free(&from);
		image_free(&to);
		policy_free(&a);
		policy_free(&b);
	}
	assert_true(changed > ROUNDS);
}

/* The changed devices alone give the same difference as everything. */
static void test_by_device(void **state)
{
	struct chance chance = {2};
	struct policy a, b;
	size_t changed = 0;

	(void)state;
	world_policy(&a, &chance, DEVICES);
	for (int round = 0; round < ROUNDS; round++) {
		struct image from, to, part_from, part_to;
		struct lines all, part;
		struct policy_ids ids;

		world_change(&a, &b, &chance, DEVICES);
		assert_true(policy_differs(&a, &b, &ids));
		assert_true(ids.n <= 2);
		assert_int_equal(ids.n == 0, policy_same(&a, &b));
		make_image(&a, &from);
		make_image(&b, &to);
		make_part(&a, &ids, &part_from);
		make_part(&b, &ids, &part_to);
		all = difference(&from, &to);
		part = difference(&part_from, &part_to);
		sort_lines(&all);
		sort_lines(&part);
		assert_same_lines(&part, &all);
		changed += all.n;
		free(all.line);
		free(part.line);
		image_free(&from);
		image_free(&to);
		image_free(&part_from);
		image_free(&part_to);
		policy_ids_free(&ids);
		policy_free(&a);
		a = b;
	}
	policy_free(&a);
	assert_true(changed > ROUNDS);
}

/*
 * No two devices share an element of any set, so that one can go without
 * taking something from another.
 */
static void test_each_its_own(void **state)
{
	struct policy_ids nobody = {0};
	struct chance chance = {3};

	(void)state;
	for (int round = 0; round < ROUNDS / 4; round++) {
		struct image everything, nothing;
		struct lines all, sum;
		struct policy p;

		world_policy(&p, &chance, DEVICES);
		make_image(&p, &everything);
		make_part(&p, &nobody, &nothing);
		all = list(&everything);
		sum = list(&nothing);
		policy_each(struct isolation_device, d, &p.devices) {
			uint32_t id = d->id;
			struct policy_ids one = {&id, 1, 1};
			struct image own;
			struct lines extra, more;

			make_part(&p, &one, &own);
			extra = difference(&nothing, &own);
			more = apply(&sum, &extra); /* fails if there already */
			free(sum.line);
			free(extra.line);
			image_free(&own);
			sum = more;
		}
		assert_same_lines(&sum, &all);
		free(all.line);
		free(sum.line);
		image_free(&everything);
		image_free(&nothing);
		policy_free(&p);
	}
}

/* What is everybody's cannot be loaded device by device. */
static void test_more_than_devices(void **state)
{
	static const struct isolation_address more = {{AF_INET, {1, 2, 3, 4}}};
	struct chance chance = {4}, again = {4};
	char reason[POLICY_REASON];
	struct policy_ids ids;
	struct policy a, b;

	(void)state;
	world_policy(&a, &chance, DEVICES);
	world_policy(&b, &again, DEVICES);
	assert_true(policy_differs(&a, &b, &ids));
	assert_int_equal(ids.n, 0);
	assert_int_equal(policy_add_admin(&b, &more), 0);
	assert_int_equal(policy_seal(&b, reason), 0);
	assert_false(policy_differs(&a, &b, &ids));
	assert_false(policy_differs(&b, &a, &ids));
	policy_free(&a);
	policy_free(&b);
}

/* Known ports are not wanted, only remembered. */
static void test_ports_do_not_count(void **state)
{
	static const struct isolation_port port = {"p9", "br0"};
	struct chance chance = {5}, again = {5};
	char reason[POLICY_REASON];
	struct policy_ids ids;
	struct policy a, b;

	(void)state;
	world_policy(&a, &chance, DEVICES);
	world_policy(&b, &again, DEVICES);
	assert_int_equal(policy_add_port(&b, &port), 0);
	assert_int_equal(policy_seal(&b, reason), 0);
	assert_true(policy_differs(&a, &b, &ids));
	assert_int_equal(ids.n, 0);
	policy_free(&a);
	policy_free(&b);
}

struct dump {
	const struct image_set *set;
	struct lines *lines;
};

static int dump_limit(struct nftnl_expr *e, void *arg)
{
	struct image_limit l = {
		.rate = nftnl_expr_get_u64(e, NFTNL_EXPR_LIMIT_RATE),
		.seconds = nftnl_expr_get_u64(e, NFTNL_EXPR_LIMIT_UNIT),
		.burst = nftnl_expr_get_u32(e, NFTNL_EXPR_LIMIT_BURST),
		.bytes = nftnl_expr_get_u32(e, NFTNL_EXPR_LIMIT_TYPE) ==
			 NFT_LIMIT_PKT_BYTES};

	memcpy(arg, &l, sizeof(l));
	return 0;
}

static int dump_element(struct nftnl_set_elem *e, void *arg)
{
	struct dump *d = arg;
	const struct image_set *set = d->set;
	uint8_t row[128] = {0};
	size_t at = set->key;
	uint32_t length = 0;
	const void *part = nftnl_set_elem_get(e, NFTNL_SET_ELEM_KEY, &length);

	assert_int_equal(length, set->key);
	memcpy(row, part, length);
	if (set->interval) {
		part = nftnl_set_elem_get(e, NFTNL_SET_ELEM_KEY_END, &length);
		assert_int_equal(length, set->key);
		memcpy(row + at, part, length);
		at += length;
	}
	if (set->data) {
		part = nftnl_set_elem_get(e, NFTNL_SET_ELEM_DATA, &length);
		assert_true(length >= set->data);
		memcpy(row + at, part, set->data);
	}
	if (set->limits)
		nftnl_set_elem_expr_foreach(
			e, dump_limit, row + at + set->data);
	add_line(set, false, row, d->lines);
	return 0;
}

static int dump_message(const struct nlmsghdr *m, void *arg)
{
	struct nftnl_set *set = nftnl_set_alloc();

	assert_non_null(set);
	assert_true(nftnl_set_elems_nlmsg_parse(m, set) >= 0);
	nftnl_set_elem_foreach(set, dump_element, arg);
	nftnl_set_free(set);
	return 0;
}

/* What the kernel has in the sets of the image. */
static struct lines dump(struct nft *nft, const struct image *image)
{
	char bytes[512] __attribute__((aligned(8)));
	struct lines l = {0};

	for (size_t i = 0; i < image->n; i++) {
		struct dump d = {&image->sets[i], &l};
		struct nftnl_set *set = nftnl_set_alloc();
		struct nlmsghdr *m = nftnl_nlmsg_build_hdr(
			bytes, NFT_MSG_GETSETELEM, image->sets[i].family, 0, 0);

		assert_non_null(set);
		nftnl_set_set_str(set, NFTNL_SET_TABLE, RULESET_TABLE);
		nftnl_set_set_str(set, NFTNL_SET_NAME, image->sets[i].name);
		nftnl_set_elems_nlmsg_build_payload(m, set);
		nftnl_set_free(set);
		if (!image->sets[i].changing)
			assert_int_equal(nft_dump(nft, m, dump_message, &d), 0);
	}
	sort_lines(&l);
	return l;
}

static void load(struct nft *nft, const struct policy *p)
{
	struct ruleset_input input = {p, &world_topology, NULL, 7};
	char reason[POLICY_REASON] = "";
	struct ruleset rs;

	assert_int_equal(ruleset_build(&input, nft_seq(nft), &rs, reason), 0);
	if (nft_commit(nft, &rs.batch, reason) < 0)
		fail_msg("%s", reason);
	ruleset_free(&rs);
}

static void ignore_line(
	const struct image_set *set, bool add, const uint8_t *row, void *arg)
{
	(void)set;
	(void)add;
	(void)row;
	(void)arg;
}

static void update(struct nft *nft, struct image *from, struct image *to)
{
	char reason[POLICY_REASON] = "";
	struct batch batch;
	size_t n;

	batch_begin(&batch, nft_seq(nft));
	n = image_update(from, to, "", &batch);
	batch_end(&batch);
	if (n && nft_commit(nft, &batch, reason) < 0)
		fail_msg("%s", reason);
	batch_free(&batch);
}

/* One policy after the other, each by its difference from the last. */
static void test_in_kernel(void **state)
{
	struct chance chance = {6};
	struct policy a, b;
	struct nft nft;

	(void)state;
	if (!in_namespace)
		skip();
	assert_int_equal(nft_open(&nft), 0);
	world_policy(&a, &chance, DEVICES);
	load(&nft, &a);
	for (int round = 0; round < ROUNDS / 4; round++) {
		struct lines shall, is;
		struct image from, to;

		if (round % 4)
			world_change(&a, &b, &chance, DEVICES);
		else
			world_policy(&b, &chance, DEVICES);
		make_image(&a, &from);
		make_image(&b, &to);
		shall = list(&to);
		update(&nft, &from, &to);
		is = dump(&nft, &to);
		assert_same_lines(&is, &shall);
		free(shall.line);
		free(is.line);
		image_free(&from);
		image_free(&to);
		policy_free(&a);
		a = b;
	}
	policy_free(&a);
	nft_close(&nft);
}

/* The reason names set and device, and nothing at all has changed. */
static void test_refused_as_a_whole(void **state)
{
	struct policy_ids nobody = {0};
	struct image from, to, empty;
	struct chance chance = {7};
	char reason[POLICY_REASON] = "";
	struct lines was, is;
	struct batch batch;
	struct policy a, b;
	struct nft nft;

	(void)state;
	if (!in_namespace)
		skip();
	world_policy(&a, &chance, DEVICES);
	world_policy(&b, &chance, DEVICES);
	make_image(&a, &from);
	make_image(&b, &to);
	make_part(&a, &nobody, &empty);
	assert_int_equal(nft_open(&nft), 0);
	load(&nft, &a);
	was = dump(&nft, &from);
	/* As if b were there, of which much is not. */
	batch_begin(&batch, nft_seq(&nft));
	image_update(&to, &empty, "the device \"lamp\"", &batch);
	batch_end(&batch);
	assert_int_equal(nft_commit(&nft, &batch, reason), -ENOENT);
	if (!strstr(reason, "elements of the set ") ||
		!strstr(reason, " for the device \"lamp\""))
		fail_msg("'%s' does not name them", reason);
	is = dump(&nft, &from);
	assert_same_lines(&is, &was);
	batch_free(&batch);
	free(was.line);
	free(is.line);
	image_free(&from);
	image_free(&to);
	image_free(&empty);
	policy_free(&a);
	policy_free(&b);
	nft_close(&nft);
}

#define ONE_QUESTION 150 /* bytes; more are several elements */

/* What is asked after a change, answered by tables that have it and do not. */
static int ask(struct nft *nft, struct image *from, struct image *to,
	char reason[POLICY_REASON], size_t *ret_questions)
{
	struct batch questions;
	int r;

	image_compare(from, to, ignore_line, NULL);
	batch_begin_questions(&questions, nft_seq(nft));
	image_ask(from, to, &questions);
	batch_end_questions(&questions);
	*ret_questions = questions.n_notes;
	assert_true(questions.length <= questions.n_notes * ONE_QUESTION);
	r = nft_find_elements(nft, &questions, reason);
	batch_free(&questions);
	return r;
}

/* Each set that was added to is asked for one element, and it is missed. */
static void test_found_again(void **state)
{
	struct policy_ids nobody = {0};
	struct chance chance = {8};
	char reason[POLICY_REASON] = "";
	struct image to, empty;
	struct policy a, none;
	size_t sets = 0, asked;
	struct nft nft;

	(void)state;
	if (!in_namespace)
		skip();
	world_policy(&a, &chance, DEVICES);
	world_policy(&none, &chance, 0);
	make_image(&a, &to);
	make_part(&a, &nobody, &empty);
	for (size_t i = 0; i < to.n; i++)
		sets += !to.sets[i].changing && to.sets[i].n > empty.sets[i].n;
	assert_int_equal(nft_open(&nft), 0);
	load(&nft, &a);
	assert_int_equal(ask(&nft, &empty, &to, reason, &asked), 0);
	assert_true(sets > 5);
	assert_int_equal(asked, sets);
	load(&nft, &none);
	assert_int_equal(ask(&nft, &empty, &to, reason, &asked), -ENOENT);
	assert_non_null(strstr(reason, "elements of the set "));
	image_free(&to);
	image_free(&empty);
	policy_free(&a);
	policy_free(&none);
	nft_close(&nft);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_two),
		cmocka_unit_test(test_by_device),
		cmocka_unit_test(test_each_its_own),
		cmocka_unit_test(test_more_than_devices),
		cmocka_unit_test(test_ports_do_not_count),
		cmocka_unit_test(test_in_kernel),
		cmocka_unit_test(test_refused_as_a_whole),
		cmocka_unit_test(test_found_again),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
