/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What values may look like. Pure: the same functions judge a value when the
 * file is read and take it apart when it is used, so both always agree.
 */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "agent/lib/conf.h"

#define WORD_MAX 256
#define HOSTNAME_MAX 253
#define LABEL_MAX 63

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_separator(char c)
{
	return c == ' ' || c == '\t' || c == ',';
}

int conf_next_word(const char **rest, char *word, size_t size)
{
	const char *p = *rest;
	size_t n = 0;

	while (is_separator(*p))
		p++;
	while (p[n] && !is_separator(p[n]))
		n++;
	*rest = p + n;
	if (n == 0)
		return 0;
	if (n >= size)
		return -EINVAL;
	memcpy(word, p, n);
	word[n] = '\0';
	return 1;
}

/* Every word passes the check, and there is one at least. */
static int check_each(const char *text, conf_check check)
{
	char word[WORD_MAX];
	bool any = false;
	int r;

	while ((r = conf_next_word(&text, word, sizeof(word))) > 0) {
		if (check(word) < 0)
			return -EINVAL;
		any = true;
	}
	return r < 0 || !any ? -EINVAL : 0;
}

int conf_check_name(const char *text)
{
	size_t n = strlen(text);

	if (n == 0 || n > CONF_NAME_MAX || !is_alnum(text[0]))
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		if (!is_alnum(text[i]) && !strchr("-_.", text[i]))
			return -EINVAL;
	return 0;
}

int conf_check_name_list(const char *text)
{
	return check_each(text, conf_check_name);
}

int conf_check_mac(const char *text)
{
	struct mac mac;

	return mac_parse(text, &mac);
}

int conf_check_ip(const char *text)
{
	struct ip ip;

	return ip_parse(text, &ip);
}

int conf_check_ip_list(const char *text)
{
	return check_each(text, conf_check_ip);
}

/* One label; *ret_number says whether it is digits only. */
static int check_label(const char *label, size_t n, bool *ret_number)
{
	bool number = true;

	if (n == 0 || n > LABEL_MAX || label[0] == '-' || label[n - 1] == '-')
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		if (!is_alnum(label[i]) && label[i] != '-')
			return -EINVAL;
		number = number && is_digit(label[i]);
	}
	*ret_number = number;
	return 0;
}

int conf_check_hostname(const char *text)
{
	bool number = true;
	size_t n;

	if (strlen(text) > HOSTNAME_MAX)
		return -EINVAL;
	for (;; text += n + 1) {
		n = strcspn(text, ".");
		if (check_label(text, n, &number) < 0)
			return -EINVAL;
		if (text[n] == '\0')
			break;
	}
	/* No top level is a number: what ends in one is meant as an address. */
	return number ? -EINVAL : 0;
}

int conf_read_bool(const char *text, bool *ret_value)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {
		{"yes", true},
		{"true", true},
		{"on", true},
		{"no", false},
		{"false", false},
		{"off", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(text, words[i].word) != 0)
			continue;
		*ret_value = words[i].value;
		return 0;
	}
	return -EINVAL;
}

int conf_check_bool(const char *text)
{
	bool value;

	return conf_read_bool(text, &value);
}

int conf_read_number(
	const char *text, uint64_t least, uint64_t most, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (!is_digit(*text) ||
			__builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(
				value, (uint64_t)(*text - '0'), &value))
			return -EINVAL;
	}
	if (value < least || value > most)
		return -EINVAL;
	*ret_value = value;
	return 0;
}

int conf_check_port(const char *text)
{
	uint64_t port;

	return conf_read_number(text, 1, UINT16_MAX, &port);
}

/* Narrower than the kernel, which lets quotes and asterisks in. */
int conf_check_ifname(const char *text)
{
	size_t n = strlen(text);

	if (n == 0 || n >= IFNAMSIZ || strcmp(text, ".") == 0 ||
		strcmp(text, "..") == 0 || text[0] == '-')
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		if (!is_alnum(text[i]) && !strchr("-_.@+", text[i]))
			return -EINVAL;
	return 0;
}

int conf_check_ifname_list(const char *text)
{
	return check_each(text, conf_check_ifname);
}

int conf_check_path(const char *text)
{
	size_t n;

	if (text[0] != '/')
		return -EINVAL;
	for (const char *part = text + 1;; part += n + 1) {
		n = strcspn(part, "/");
		if (n == 2 && part[0] == '.' && part[1] == '.')
			return -EINVAL;
		if (part[n] == '\0')
			return 0;
	}
}

int conf_check_mode(const char *text)
{
	if (strcmp(text, "observe") == 0 || strcmp(text, "enforce") == 0)
		return 0;
	return -EINVAL;
}
