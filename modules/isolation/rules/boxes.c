/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cuts boxes apart. Touches memory only; what goes in and what comes out must
 * cover exactly the same points, or a device reaches too much or too little.
 */
#include "modules/isolation/rules/boxes.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "modules/isolation/rules/batch.h"

/* The neighbours of a number; the caller knows that there is one. */
static void step_up(uint8_t number[16])
{
	for (int i = 15; i >= 0 && ++number[i] == 0; i--)
		;
}

static void step_down(uint8_t number[16])
{
	for (int i = 15; i >= 0 && number[i]-- == 0; i--)
		;
}

static bool apart(const struct box *a, const struct box *b)
{
	for (int s = 0; s < BOXES_SIDES; s++)
		if (memcmp(a->side[s].last, b->side[s].first, 16) < 0 ||
			memcmp(b->side[s].last, a->side[s].first, 16) < 0)
			return true;
	return false;
}

/* What is left of box outside of cut, in at most two pieces for each side. */
static int cut_box(const struct box *box, const struct box *cut,
	struct box pieces[static 2 * BOXES_SIDES])
{
	struct box rest = *box;
	int n = 0;

	for (int s = 0; s < BOXES_SIDES; s++) {
		if (memcmp(rest.side[s].first, cut->side[s].first, 16) < 0) {
			pieces[n] = rest;
			memcpy(pieces[n].side[s].last, cut->side[s].first, 16);
			step_down(pieces[n++].side[s].last);
			memcpy(rest.side[s].first, cut->side[s].first, 16);
		}
		if (memcmp(rest.side[s].last, cut->side[s].last, 16) > 0) {
			pieces[n] = rest;
			memcpy(pieces[n].side[s].first, cut->side[s].last, 16);
			step_up(pieces[n++].side[s].first);
			memcpy(rest.side[s].last, cut->side[s].last, 16);
		}
	}
	return n;
}

static int append(struct boxes *boxes, const struct box *box, size_t most)
{
	if (boxes->n >= most)
		return -ENOSPC;
	if (boxes->n == boxes->room) {
		boxes->room = boxes->room * 2 + 16;
		boxes->box = must_have(
			realloc(boxes->box, boxes->room * sizeof(*boxes->box)));
	}
	boxes->box[boxes->n++] = *box;
	return 0;
}

/* All pieces, each without what cut covers. */
static int cut_all(struct boxes *pieces, const struct box *cut, size_t most)
{
	struct box cuts[2 * BOXES_SIDES];
	size_t n = pieces->n;
	int r = 0;

	for (size_t i = 0; i < n && r == 0;) {
		if (apart(&pieces->box[i], cut)) {
			i++;
			continue;
		}
		int n_cuts = cut_box(&pieces->box[i], cut, cuts);

		/* Those not looked at yet stay in front. */
		pieces->box[i] = pieces->box[--n];
		pieces->box[n] = pieces->box[--pieces->n];
		for (int c = 0; c < n_cuts && r == 0; c++)
			r = append(pieces, &cuts[c], most);
	}
	return r;
}

int boxes_add(struct boxes *boxes, const struct box *box, size_t most)
{
	struct boxes pieces = {0};
	int r = append(&pieces, box, most);

	for (size_t i = 0; i < boxes->n && r == 0 && pieces.n; i++)
		r = cut_all(&pieces, &boxes->box[i], most);
	for (size_t i = 0; i < pieces.n && r == 0; i++)
		r = append(boxes, &pieces.box[i], most);
	boxes_free(&pieces);
	return r;
}

void boxes_free(struct boxes *boxes)
{
	free(boxes->box);
	memset(boxes, 0, sizeof(*boxes));
}
