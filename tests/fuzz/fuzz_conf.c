/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a configuration. Besides not crashing: a value in the tree
 * must stand on the line it names, from the line's first byte to its last,
 * so that nothing the owner sees as a comment can ever become a key.
 */
#include <string.h>

#include "agent/lib/conf.h"
#include "tests/fuzz/fuzz.h"

static const struct conf_key core_keys[] = {
	{"mode", conf_check_mode, "observe or enforce"},
	{"name-server", conf_check_ip_list, "addresses", true},
};
static const struct conf_key device_keys[] = {
	{"mac", conf_check_mac, "a MAC address"},
	{"host", conf_check_hostname, "a host name"},
	{"file", conf_check_path, "a path"},
	{"port", conf_check_port, "a port"},
	{"interface", conf_check_ifname_list, "interfaces"},
};
static const struct conf_key more_keys[] = {
	{"upgrade", conf_check_name_list, "names"},
	{"active", conf_check_bool, "yes or no"},
	{"any", NULL, "anything", true},
};
static const struct conf_schema core = {
	"gateway", false, core_keys, ARRAY_SIZE(core_keys)};
static const struct conf_schema device = {
	"device", true, device_keys, ARRAY_SIZE(device_keys)};
static const struct conf_schema more = {
	"device", true, more_keys, ARRAY_SIZE(more_keys)};
static const struct conf_schema *const schemas[] = {&core, &device, &more};

struct text {
	const char *at;
	size_t length;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The line with the given number, found without the code under test. */
static struct text find_line(const uint8_t *data, size_t size, unsigned line)
{
	struct text text = {(const char *)data, size};
	const char *lf;

	while ((lf = memchr(text.at, '\n', text.length)) && line > 1) {
		text.length -= (size_t)(lf + 1 - text.at);
		text.at = lf + 1;
		line--;
	}
	fuzz_require(line == 1);
	if (lf)
		text.length = (size_t)(lf - text.at);
	if (text.length > 0 && text.at[text.length - 1] == '\r')
		text.length--;
	while (text.length > 0 && is_blank(text.at[text.length - 1]))
		text.length--;
	return text;
}

static void check_value(
	const uint8_t *data, size_t size, const struct conf_value *value)
{
	struct text line = find_line(data, size, value->line);
	size_t key = strlen(value->key->name), text = strlen(value->text);

	if (value->line == 1 && line.length > 3 &&
		memcmp(line.at, "\xef\xbb\xbf", 3) == 0) {
		line.at += 3;
		line.length -= 3;
	}
	fuzz_require(text > 0 && line.length <= CONF_LINE_MAX);
	fuzz_require(line.length > key + text);
	fuzz_require(memcmp(line.at, value->key->name, key) == 0);
	fuzz_require(
		memcmp(line.at + line.length - text, value->text, text) == 0);
	for (size_t i = key; i < line.length - text; i++)
		fuzz_require(is_blank(line.at[i]) || line.at[i] == '=');
	if (!value->refused && value->key->check)
		fuzz_require(value->key->check(value->text) == 0);
}

static void check_tree(
	const struct conf *conf, const uint8_t *data, size_t size)
{
	const struct conf_section *section = NULL;

	while ((section = conf_next(conf, "device", section))) {
		fuzz_require(conf_check_name(section->name) == 0);
		fuzz_require(
			conf_find(conf, "device", section->name) == section);
		for (const struct conf_value *value = section->values; value;
			value = value->next)
			check_value(data, size, value);
	}
	section = conf_find(conf, "gateway", "");
	fuzz_require(conf_next(conf, "gateway", section) == NULL || !section);
	for (const struct conf_value *value = section ? section->values : NULL;
		value; value = value->next)
		check_value(data, size, value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf *conf;

	if (conf_new(schemas, ARRAY_SIZE(schemas), &conf) < 0)
		return 0;
	if (conf_parse(conf, "fuzz", data, size) == 0) {
		fuzz_require(conf_problem_count(conf) <= CONF_PROBLEMS_MAX);
		for (size_t i = 0; i < conf_problem_count(conf); i++)
			fuzz_require(conf_problem(conf, i)->text[0] != '\0');
		check_tree(conf, data, size);
	}
	conf_free(conf);
	return 0;
}
