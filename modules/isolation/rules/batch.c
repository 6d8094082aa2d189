/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Collects the messages of one transaction. Touches memory only; must never
 * send anything. All messages of a transaction go out in one sendmsg(), so
 * they lie in one buffer.
 */
#include "modules/isolation/rules/batch.h"

#include <assert.h>
#include <libmnl/libmnl.h>
#include <libnftnl/common.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/lib/log.h"

void *must_have(void *p)
{
	if (!p) {
		log_error("out of memory; the rules in force stay");
		_exit(1);
	}
	return p;
}

static void reserve(struct batch *batch)
{
	if (batch->room - batch->length >= BATCH_ROOM)
		return;
	batch->room = (batch->room + BATCH_ROOM) * 2;
	batch->bytes = must_have(realloc(batch->bytes, batch->room));
}

static struct batch_note *new_note(struct batch *batch)
{
	if (batch->n_notes == batch->notes_room) {
		batch->notes_room = batch->notes_room * 2 + 64;
		batch->notes = must_have(realloc(batch->notes,
			batch->notes_room * sizeof(*batch->notes)));
	}
	return &batch->notes[batch->n_notes++];
}

static _printf_(2, 0) void note(
	struct batch *batch, const char *what, va_list args)
{
	struct batch_note *n = new_note(batch);

	n->seq = batch->seq;
	vsnprintf(n->what, sizeof(n->what), what, args);
}

void batch_begin_questions(struct batch *batch, uint32_t seq)
{
	memset(batch, 0, sizeof(*batch));
	batch->seq = seq;
	reserve(batch);
}

void batch_begin(struct batch *batch, uint32_t seq)
{
	struct nlmsghdr *m;

	batch_begin_questions(batch, seq);
	m = nftnl_batch_begin(batch->bytes, seq);
	batch->length = NLMSG_ALIGN(m->nlmsg_len);
	*new_note(batch) = (struct batch_note){seq, "the transaction"};
}

struct nlmsghdr *batch_message(struct batch *batch, uint16_t type,
	uint16_t family, uint16_t flags, const char *what, ...)
{
	va_list args;

	reserve(batch);
	batch->seq++;
	va_start(args, what);
	note(batch, what, args);
	va_end(args);
	return nftnl_nlmsg_build_hdr(
		batch->bytes + batch->length, type, family, flags, batch->seq);
}

void batch_add(struct batch *batch, const struct nlmsghdr *message)
{
	assert((const char *)message == batch->bytes + batch->length);
	assert(message->nlmsg_len <= BATCH_ROOM);
	batch->length += NLMSG_ALIGN(message->nlmsg_len);
}

/*
 * One answer is enough: the kernel reports every error by itself, and many
 * acknowledgements would overrun the receive buffer.
 */
static void ask_for_answer(struct batch *batch)
{
	size_t at = 0, last = 0;
	struct nlmsghdr *m;

	while (at < batch->length) {
		last = at;
		m = (struct nlmsghdr *)(void *)(batch->bytes + at);
		at += NLMSG_ALIGN(m->nlmsg_len);
	}
	m = (struct nlmsghdr *)(void *)(batch->bytes + last);
	m->nlmsg_flags |= NLM_F_ACK;
}

void batch_end_questions(struct batch *batch)
{
	ask_for_answer(batch);
}

void batch_end(struct batch *batch)
{
	struct nlmsghdr *m;

	ask_for_answer(batch);
	reserve(batch);
	m = nftnl_batch_end(batch->bytes + batch->length, batch->seq + 1);
	batch->length += NLMSG_ALIGN(m->nlmsg_len);
}

void batch_free(struct batch *batch)
{
	free(batch->bytes);
	free(batch->notes);
	memset(batch, 0, sizeof(*batch));
}

const char *batch_what(const struct batch *batch, uint32_t seq)
{
	for (size_t i = 0; i < batch->n_notes; i++)
		if (batch->notes[i].seq == seq)
			return batch->notes[i].what;
	return "the end of the transaction";
}
