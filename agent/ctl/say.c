/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command's own input and output. Whatever it is given to show is
 * cleaned here.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "agent/ctl/say.h"
#include "agent/ctl/table.h"
#include "agent/ctl/text.h"

#define WIDTH_ELSE 80

static size_t width_of(int fd)
{
	struct winsize size;

	if (!isatty(fd) || ioctl(fd, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return WIDTH_ELSE;
	if (size.ws_col < TABLE_WIDTH_LEAST)
		return TABLE_WIDTH_LEAST;
	return size.ws_col;
}

size_t say_width(void)
{
	return width_of(STDOUT_FILENO);
}

/* Line by line: a report of several problems stays one. */
static void paragraphs(FILE *out, char *text, size_t width)
{
	char *line, *rest = text;

	while ((line = strsep(&rest, "\n")) != NULL) {
		char *clean = text_clean(line);
		size_t indent = strspn(clean, " ");

		fprintf(out, "%*s", (int)indent, "");
		text_wrap(out, clean + indent, indent, indent, width);
		free(clean);
	}
}

static _printf_(1, 0) char *format_text(const char *format, va_list args)
{
	char *text;

	if (vasprintf(&text, format, args) < 0)
		abort();
	return text;
}

void say_error(const char *what, const char *advice)
{
	say_errorf(advice, "%s", what);
}

void say_errorf(const char *advice, const char *format, ...)
{
	char *what, *whole;
	va_list args;

	va_start(args, format);
	what = format_text(format, args);
	va_end(args);
	fflush(stdout);
	if (asprintf(&whole, "gatehouse: %s%s%s", what, advice ? "\n" : "",
		    advice ? advice : "") < 0)
		abort();
	paragraphs(stderr, whole, width_of(STDERR_FILENO));
	free(whole);
	free(what);
}

void say(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = format_text(format, args);
	va_end(args);
	paragraphs(stdout, text, say_width());
	free(text);
}

int say_json(json_t *json)
{
	int r = json ? json_dumpf(json, stdout, JSON_INDENT(2)) : -1;

	json_decref(json);
	putchar('\n');
	if (r < 0)
		say_error("Out of memory.", NULL);
	return r < 0 ? -ENOMEM : 0;
}

int say_ask(const char *question)
{
	int first, c;

	if (!isatty(STDIN_FILENO))
		return -ENOTTY;
	printf("%s [y/N] ", question);
	fflush(stdout);
	first = c = getchar();
	while (c != '\n' && c != EOF)
		c = getchar();
	return first == 'y' || first == 'Y';
}
