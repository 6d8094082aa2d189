/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads rules about products. Pure. Must never let a rule in that leans on
 * evidence which says nothing of identity.
 */
#include "modules/discovery/match/products.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "modules/discovery/match/evidence.h"

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " \t");
}

int products_next_condition(
	const char **rest, struct products_condition *ret_condition)
{
	const char *at = skip_blanks(*rest), *end;
	size_t length;

	if (!*at)
		return 0;
	length = strcspn(at, " \t\"");
	ret_condition->kind = evidence_find(at, length);
	at = skip_blanks(at + length);
	end = *at == '"' ? strchr(at + 1, '"') : NULL;
	if (!evidence_worth(ret_condition->kind) || !end || end == at + 1)
		return -EINVAL;
	length = (size_t)(end - at - 1);
	if (length >= sizeof(ret_condition->pattern))
		return -EINVAL;
	memcpy(ret_condition->pattern, at + 1, length);
	ret_condition->pattern[length] = '\0';
	at = skip_blanks(end + 1);
	if (*at == ',') {
		at = skip_blanks(at + 1);
		if (!*at)
			return -EINVAL;
	} else if (*at) {
		return -EINVAL;
	}
	*rest = at;
	return 1;
}

bool products_fits(const char *pattern, const char *value)
{
	const char *star = NULL, *from = NULL;

	while (*value) {
		if (*pattern == '*') {
			star = ++pattern;
			from = value;
		} else if (tolower((unsigned char)*pattern) ==
			   tolower((unsigned char)*value)) {
			pattern++;
			value++;
		} else if (star) {
			pattern = star;
			value = ++from;
		} else {
			return false;
		}
	}
	return pattern[strspn(pattern, "*")] == '\0';
}

static int check_all_of(const char *text)
{
	struct products_condition condition;
	int n = 0, r;

	while ((r = products_next_condition(&text, &condition)) > 0)
		n++;
	return r < 0 || !n || n > PRODUCTS_CONDITIONS_MAX ? -EINVAL : 0;
}

static const struct conf_key product_keys[] = {
	{"name", NULL, "its name", false, "What it is called."},
	{"vendor", NULL, "a name", false, "Whose it is."},
	{"kind-of", conf_check_name, "the name of another [product]", false,
		"A product that this one is a special case of."},
	{"all-of", check_all_of,
		"up to 8 conditions such as dhcp.hostname \"wiz_*\", separated "
		"by commas; addresses, mqtt.user and tls.version are none",
		true, "What has to be seen, all of it."},
};

static const struct conf_schema product_schema = {
	"product", true, product_keys, ARRAY_SIZE(product_keys)};
static const struct conf_schema *const schemas[] = {&product_schema};

int products_new(struct conf **ret_conf)
{
	return conf_new(schemas, ARRAY_SIZE(schemas), ret_conf);
}

static const struct conf_section *more_general(
	const struct conf *conf, const struct conf_section *product)
{
	const char *name = conf_text(product, "kind-of", NULL);

	return name ? conf_find(conf, "product", name) : NULL;
}

bool products_is_kind_of(const struct conf *conf,
	const struct conf_section *product, const struct conf_section *general)
{
	for (int i = 0; i < PRODUCTS_KINDS_MAX && product; i++) {
		product = more_general(conf, product);
		if (product == general)
			return product;
	}
	return false;
}

static void check_one(struct conf *conf, const struct conf_section *s)
{
	const struct conf_value *kind = conf_get(s, "kind-of");

	if (!conf_given(s, "name"))
		conf_complain(conf, s->file, s->line,
			"[product %s] has no name = ", s->name);
	if (!conf_given(s, "all-of"))
		conf_complain(conf, s->file, s->line,
			"[product %s] has no all-of =, so nothing ever is one",
			s->name);
	if (kind && !conf_find(conf, "product", kind->text))
		conf_complain(conf, kind->file, kind->line,
			"[product %s]: there is no [product %s]", s->name,
			kind->text);
	if (products_is_kind_of(conf, s, s))
		conf_complain(conf, s->file, s->line,
			"[product %s] is a kind of itself", s->name);
}

void products_check(struct conf *conf)
{
	const struct conf_section *s = NULL;
	size_t n = 0;

	while ((s = conf_next(conf, "product", s))) {
		check_one(conf, s);
		if (++n == PRODUCTS_MAX + 1)
			conf_complain(conf, s->file, s->line,
				"more than %d products", PRODUCTS_MAX);
	}
}
