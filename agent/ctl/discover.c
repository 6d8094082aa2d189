/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * discover: what the devices of a capture file are. Another program reads
 * the file, in a sandbox, and answers in JSON; this one shows it and must
 * never see a byte of the capture itself.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "agent/ctl/ctl.h"
#include "agent/ctl/program.h"
#include "agent/ctl/say.h"
#include "agent/ctl/table.h"
#include "agent/ctl/text.h"
#include "agent/ctl/when.h"
#include "agent/lib/net.h"

#define VENDORS "/usr/share/ieee-data"
#define OWN_PRODUCTS SYSCONFDIR "/gatehouse/products.conf"

static const char *text_of(json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static long long number_of(json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

static bool is_true(json_t *object, const char *name)
{
	return json_is_true(json_object_get(object, name));
}

/* dhcp.hostname "wemo", mac.vendor "Belkin" */
static char *because_of(json_t *candidate)
{
	char *text = NULL;
	size_t size, i;
	FILE *out = open_memstream(&text, &size);
	json_t *reason;

	if (!out)
		abort();
	json_array_foreach(json_object_get(candidate, "because"), i, reason)
		fprintf(out, "%s%s \"%s\"", i ? ", " : "",
			text_of(reason, "kind"), text_of(reason, "value"));
	fclose(out);
	return text;
}

static void say_candidate(const char *indent, json_t *candidate)
{
	const char *vendor = text_of(candidate, "vendor");
	char *because = because_of(candidate);

	say("%s%s%s%s%s, %lld %%%s: %s", indent, text_of(candidate, "name"),
		*vendor ? " (" : "", vendor, *vendor ? ")" : "",
		number_of(candidate, "confidence"),
		is_true(candidate, "hint") ? ", by hints alone" : "", because);
	free(because);
}

static void say_match(json_t *device)
{
	json_t *match = json_object_get(device, "match");
	json_t *against = json_object_get(device, "against"), *candidate;
	const char *contradiction = text_of(device, "contradiction");
	size_t i;

	if (!json_array_size(match))
		say("  Not recognised.");
	else if (is_true(device, "question"))
		say("  Which of these is it?");
	json_array_foreach(match, i, candidate) say_candidate(
		is_true(device, "question") ? "    " : "  ", candidate);
	json_array_foreach(against, i, candidate)
	{
		say("  But this fits as well:");
		say_candidate("    ", candidate);
	}
	if (number_of(device, "more"))
		say("  And %lld more.", number_of(device, "more"));
	if (*contradiction)
		say("  It says two things as %s: somebody else may speak "
		    "through it, as a phone does that sets it up.",
			contradiction);
}

static void add_evidence(struct table *table, json_t *item)
{
	char when[WHEN_TEXT], times[TEXT_NUMBER];
	const char *const cells[] = {
		when_utc((int64_t)number_of(item, "first"), when),
		text_of(item, "kind"), text_of(item, "value"),
		text_number(
			(unsigned long long)number_of(item, "times"), times)};

	table_add(table, cells);
}

static void say_device(json_t *device)
{
	static const struct table_column columns[] = {
		{"Since"}, {"Evidence"}, {"Value"}, {"Times", true}};
	struct table table = {
		.columns = columns, .n_columns = ARRAY_SIZE(columns)};
	json_t *item;
	size_t i;

	say("%s%s", text_of(device, "mac"),
		is_true(device, "randomised")
			? ", a randomised address: it says nothing of who "
			  "made the device, and may change"
			: "");
	say_match(device);
	json_array_foreach(json_object_get(device, "evidence"), i, item)
		add_evidence(&table, item);
	table_print(&table, stdout, say_width());
	table_clear(&table);
	if (number_of(device, "left_out"))
		say("  %lld more pieces of evidence are not shown: there are "
		    "limits for each kind and for all devices.",
			number_of(device, "left_out"));
	putchar('\n');
}

static void say_report(json_t *report)
{
	json_t *devices = json_object_get(report, "devices"), *device;
	size_t i;

	json_array_foreach(devices, i, device) say_device(device);
	say("%lld frames, %zu devices; %lld frames made no sense.",
		number_of(report, "frames"), json_array_size(devices),
		number_of(report, "unread"));
	if (json_object_get(report, "cut"))
		say("The file is not whole. %s What is above is from what was "
		    "there.",
			text_of(report, "cut"));
	if (number_of(report, "left_out"))
		say("%lld pieces of evidence were of more devices than are "
		    "kept apart.",
			number_of(report, "left_out"));
	if (!is_true(report, "vendors"))
		say("Who made the cards is not known here: the package "
		    "ieee-data has the lists.");
}

static int show(const struct ctl *ctl, const char *output)
{
	json_t *report = json_loads(output, 0, NULL);

	if (!report) {
		say_error("What gatehouse-discover wrote makes no sense.",
			"Is gatehouse installed completely?");
		return CTL_FAILED;
	}
	if (ctl->json)
		return say_json(report) < 0 ? CTL_FAILED : CTL_DONE;
	say_report(report);
	json_decref(report);
	return CTL_DONE;
}

int ctl_discover(const struct ctl *ctl)
{
	_cleanup_(cleanup_free) char *products = program_data("products.conf");
	_cleanup_(cleanup_free) char *vendors = program_data("ieee-data");
	_cleanup_(cleanup_free) char *path = program_worker(
		"gatehouse-discover");
	_cleanup_(cleanup_free) char *output = NULL;
	char *argv[] = {(char *)"gatehouse-discover", (char *)"--products",
		products, (char *)"--own", (char *)OWN_PRODUCTS,
		(char *)"--vendors", (char *)VENDORS, (char *)"--vendors",
		vendors, ctl->device ? (char *)"--device" : (char *)"--",
		ctl->device ? (char *)ctl->device : (char *)ctl->word,
		ctl->device ? (char *)"--" : NULL, (char *)ctl->word, NULL};
	struct mac mac;
	int r;

	if (ctl->device && mac_parse(ctl->device, &mac) < 0) {
		say_error("--device takes a MAC address.",
			"Such as --device 02:00:00:00:00:01");
		return CTL_USAGE;
	}
	r = program_run(path, argv, &output);
	if (r == 0)
		return show(ctl, output);
	if (r < 0)
		say_errorf("Is gatehouse installed completely?",
			"Cannot run %s: %s.", path, strerror(-r));
	else
		say_error(output && *output ? output
					    : "The program that reads "
					      "captures ended early.",
			NULL);
	return CTL_FAILED;
}
