/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words of a question, as any local user may have written them. Pure;
 * must never guess.
 */
#include "modules/bus/question_parse.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

static int parse_id(const char *text, uint32_t *ret_id)
{
	uint64_t id = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		id = id * 10 + (uint64_t)(*text - '0');
		if (id > UINT32_MAX)
			return -EINVAL;
	}
	if (!id)
		return -EINVAL;
	*ret_id = (uint32_t)id;
	return 0;
}

static int parse_to(const char *to, struct bus_question *question)
{
	static const char device[] = "device:";

	if (strcmp(to, "gateway") == 0) {
		question->gateway = 1;
		return 0;
	}
	if (strncmp(to, device, sizeof(device) - 1) == 0)
		return parse_id(to + sizeof(device) - 1, &question->to_device);
	return ip_parse(to, &question->to);
}

int question_parse(const char *protocol, uint16_t port, const char *to,
	struct bus_question *ret_question)
{
	struct bus_question question = {.port = port};

	if (strcmp(protocol, "tcp") == 0)
		question.protocol = IPPROTO_TCP;
	else if (strcmp(protocol, "udp") == 0)
		question.protocol = IPPROTO_UDP;
	else if (strcmp(protocol, "icmp") == 0)
		question.protocol = IPPROTO_ICMP;
	else
		return -EINVAL;
	if ((port == 0) != (question.protocol == IPPROTO_ICMP))
		return -EINVAL;
	if (parse_to(to, &question) < 0)
		return -EINVAL;
	*ret_question = question;
	return 0;
}
