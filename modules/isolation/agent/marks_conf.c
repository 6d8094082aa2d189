/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Marks as the owner writes them. Touches nothing; must never accept a mask
 * that a rule of ours could not use whole.
 */
#include "modules/isolation/agent/marks_conf.h"

#include <errno.h>

#include "modules/isolation/marks.h"

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 0x and one to eight digits, as ip and nft print marks. */
static int read_mark(const char *text, uint32_t *ret_mark)
{
	uint32_t mark = 0;
	unsigned n = 0;

	if (text[0] != '0' || (text[1] | 0x20) != 'x')
		return -EINVAL;
	for (text += 2; *text; text++) {
		int d = digit(*text);

		if (d < 0 || ++n > 8)
			return -EINVAL;
		mark = mark << 4 | (uint32_t)d;
	}
	if (!n)
		return -EINVAL;
	*ret_mark = mark;
	return 0;
}

static int check_packet(const char *text)
{
	uint32_t bit;
	int r = read_mark(text, &bit);

	return r < 0 ? r : marks_sane_packet(bit) ? 0 : -EINVAL;
}

static int check_connection(const char *text)
{
	uint32_t mask;
	int r = read_mark(text, &mask);

	return r < 0 ? r : marks_sane_connection(mask) ? 0 : -EINVAL;
}

static int check_priority(const char *text)
{
	uint64_t priority;

	return conf_read_number(text, 1, MARKS_PRIORITY_MOST, &priority);
}

const struct conf_key marks_conf_keys[MARKS_CONF_KEYS] = {
	{"mark", check_packet, "one bit, such as 0x00800000", false,
		"The bit of the packet mark that packets of devices get."},
	{"connection-mark", check_connection,
		"eight bits in a row, such as 0x00ff0000", false,
		"The bits of the connection mark that are gatehouse's."},
	{"rule-priority", check_priority, "a number from 1 to 32765", false,
		"The priority of gatehouse's routing rules (ip rule)."},
};

void marks_conf_read(const struct conf *conf, struct isolation_marks *ret_marks)
{
	const struct conf_section *gateway = conf_next(conf, "gateway", NULL);
	struct isolation_marks marks = marks_usual;
	uint64_t priority;

	(void)read_mark(conf_text(gateway, "mark", ""), &marks.packet);
	(void)read_mark(
		conf_text(gateway, "connection-mark", ""), &marks.connection);
	if (conf_read_number(conf_text(gateway, "rule-priority", ""), 1,
		    MARKS_PRIORITY_MOST, &priority) == 0)
		marks.priority = (uint32_t)priority;
	*ret_marks = marks;
}
