/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A doubly linked list whose links live inside the elements. */
#ifndef GATEHOUSE_LIST_H
#define GATEHOUSE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next, *prev;
};

static inline void list_init(struct list *head)
{
	head->next = head->prev = head;
}

static inline bool list_empty(const struct list *head)
{
	return head->next == head;
}

static inline void list_append(struct list *head, struct list *item)
{
	item->prev = head->prev;
	item->next = head;
	head->prev->next = item;
	head->prev = item;
}

/* Safe to call twice: a removed element is a list of its own. */
static inline void list_remove(struct list *item)
{
	item->prev->next = item->next;
	item->next->prev = item->prev;
	list_init(item);
}

#define list_for_each(it, head) \
	for (struct list *it = (head)->next; it != (head); it = it->next)
/* The current element may be removed. */
#define list_for_each_safe(it, head)                                \
	for (struct list *it = (head)->next, *it##_next = it->next; \
		it != (head); it = it##_next, it##_next = it->next)

#endif
