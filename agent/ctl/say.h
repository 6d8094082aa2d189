/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the command speaks: errors, questions, JSON, the width of the page. */
#ifndef GATEHOUSE_CTL_SAY_H
#define GATEHOUSE_CTL_SAY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "agent/lib/cleanup.h"

/* Columns of the terminal on stdout; 80 when it is none. */
size_t say_width(void);
/* To stderr: what happened and, unless NULL, what to do about it. */
void say_error(const char *what, const char *advice);
void say_errorf(const char *advice, const char *format, ...) _printf_(2, 3);
/* A paragraph to stdout, wrapped. */
void say(const char *format, ...) _printf_(1, 2);
/* Prints and frees. */
int say_json(json_t *json);
/*
 * Asks for y or N on the terminal. 1 = yes, 0 = no, -ENOTTY without a
 * terminal.
 */
_must_check_ int say_ask(const char *question);

#endif
