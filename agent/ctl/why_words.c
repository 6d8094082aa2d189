/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words of "why": what is asked, what was answered. Pure but for memory. */
#include <errno.h>
#include <string.h>

#include "agent/ctl/why.h"

static int parse_port(const char *text, uint16_t *ret_port)
{
	size_t digits = strspn(text, "0123456789");
	uint32_t port = 0;

	if (digits == 0 || digits > 5 || text[digits])
		return -EINVAL;
	for (; *text; text++)
		port = port * 10 + (uint32_t)(*text - '0');
	if (port == 0 || port > 65535)
		return -EINVAL;
	*ret_port = (uint16_t)port;
	return 0;
}

int why_parse_service(
	const char *text, char ret_protocol[static 8], uint16_t *ret_port)
{
	uint16_t port;

	if (strcmp(text, "icmp") == 0) {
		memcpy(ret_protocol, "icmp", 5);
		*ret_port = 0;
		return 0;
	}
	if ((strncmp(text, "tcp/", 4) != 0 && strncmp(text, "udp/", 4) != 0) ||
		parse_port(text + 4, &port) < 0)
		return -EINVAL;
	memcpy(ret_protocol, text, 3);
	ret_protocol[3] = '\0';
	*ret_port = port;
	return 0;
}

void why_add(struct why_answer *answer, const char *key, const char *text)
{
	if (answer->n == WHY_PAIRS_MAX)
		return;
	answer->pairs[answer->n].key = strdup(key);
	answer->pairs[answer->n].text = strdup(text);
	if (!answer->pairs[answer->n].key || !answer->pairs[answer->n].text)
		abort();
	answer->n++;
}

const char *why_get(const struct why_answer *answer, const char *key)
{
	for (size_t i = 0; i < answer->n; i++)
		if (strcmp(answer->pairs[i].key, key) == 0)
			return answer->pairs[i].text;
	return "";
}

void why_clear(struct why_answer *answer)
{
	for (size_t i = 0; i < answer->n; i++) {
		free(answer->pairs[i].key);
		free(answer->pairs[i].text);
	}
	answer->n = 0;
}
