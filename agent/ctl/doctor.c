/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gatehouse doctor: is this host where it has to be, and set up so that
 * isolation can hold? Changes nothing.
 */
#include <string.h>

#include "agent/ctl/ctl.h"
#include "agent/ctl/doctor.h"
#include "agent/ctl/program.h"
#include "agent/ctl/say.h"
#include "agent/ctl/text.h"

static const char *name_of(enum doctor_severity severity)
{
	switch (severity) {
	case DOCTOR_GOOD:
		return "good";
	case DOCTOR_ADVICE:
		return "advice";
	case DOCTOR_PROBLEM:
		return "problem";
	}
	return "";
}

static int print_json(const struct doctor_report *report)
{
	json_t *list = json_array();

	for (size_t i = 0; i < report->n; i++) {
		const struct doctor_finding *f = &report->findings[i];

		json_array_append_new(list,
			json_pack("{s:s, s:s, s:s, s:s, s:s}", "severity",
				name_of(f->severity), "code", f->code, "what",
				f->what, "why", f->why ? f->why : "", "advice",
				f->advice));
	}
	return say_json(list);
}

static void print_line(const char *words, size_t indent)
{
	char *clean = text_clean(words);

	printf("%*s", (int)indent, "");
	text_wrap(stdout, clean, indent, indent, say_width());
	free(clean);
}

static void print(const struct doctor_report *report)
{
	for (size_t i = 0; i < report->n; i++) {
		const struct doctor_finding *f = &report->findings[i];

		say("%s: %s", name_of(f->severity), f->what);
		if (f->why)
			print_line(f->why, 2);
		if (f->advice[0])
			print_line(f->advice, 2);
	}
}

/* The rules with everything in them, in a network of their own. */
static void try_kernel(struct doctor_facts *facts)
{
	char *argv[] = {
		(char *)"gatehouse-isolation", (char *)"--try-kernel", NULL};
	char *path, *output = NULL;
	int r;

	if (!facts->root)
		return;
	path = program_worker("gatehouse-isolation");
	if (access(path, X_OK) == 0) {
		r = program_run(path, argv, &output);
		facts->kernel = r == 0 ? DOCTOR_WORKS : DOCTOR_FAILS;
		snprintf(facts->kernel_reason, sizeof(facts->kernel_reason),
			"%s", output ? output : "");
		facts->kernel_reason[strcspn(facts->kernel_reason, "\n")] = 0;
		free(output);
	}
	free(path);
}

int ctl_doctor(const struct ctl *ctl)
{
	static struct doctor_report report;
	static struct doctor_facts facts;
	_cleanup_(plan_clear) struct plan plan = {0};

	facts.config_read = plan_load(ctl->config, &plan) == 0;
	facts.root = geteuid() == 0;
	facts.daemon_runs = ctl_daemon_runs(ctl->run) > 0;
	doctor_look(&plan, &facts);
	try_kernel(&facts);
	doctor_judge(&facts, &report);
	if (ctl->json && print_json(&report) < 0)
		return CTL_FAILED;
	if (!ctl->json)
		print(&report);
	return report.n && report.findings[0].severity == DOCTOR_PROBLEM
		       ? CTL_FAILED
		       : CTL_DONE;
}
