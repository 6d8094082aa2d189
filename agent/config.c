/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads a configuration: the keys of the core, then every module's, then the
 * checks between sections. Touches nothing but the files it is told to read.
 */
#include <errno.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/lib/file.h"
#include "agent/lib/log.h"

static int check_role(const char *text)
{
	static const char *const roles[] = {
		"devices", "guest", "owner", "uplink"};

	for (size_t i = 0; i < ARRAY_SIZE(roles); i++) {
		if (strcmp(text, roles[i]) == 0)
			return 0;
	}
	return -EINVAL;
}

static int check_log_level(const char *text)
{
	enum log_level level;

	return log_level_parse(text, &level);
}

static int check_decision(const char *text)
{
	return record_parse_decision(text) < 0 ? -EINVAL : 0;
}

static const struct conf_key gateway_keys[] = {
	{"mode", conf_check_mode, "observe or enforce", false,
		"What happens to traffic that is not allowed; observe (the "
		"default) lets it pass and counts it."},
	{"log-level", check_log_level, "error, warning, notice, info or debug",
		false, "How much is logged; info is the default."},
};

static const struct conf_key zone_keys[] = {
	{"interface", conf_check_ifname_list,
		"names of network interfaces, such as br0 or eth1", false,
		"The bridges or routed interfaces of this zone."},
	{"role", check_role, "devices, guest, owner or uplink", false,
		"devices (the default) are isolated, guests are too and reach "
		"the world outside, the owner's own network and the uplink "
		"are not touched."},
	{"mode", conf_check_mode, "observe or enforce", false,
		"Overrides the gateway's mode in this zone."},
};

static const struct conf_key device_keys[] = {
	{"mac", conf_check_mac,
		"a device's MAC address, such as 02:00:00:00:00:01", false,
		"The device's own address on the network; required."},
	{"mode", conf_check_mode, "observe or enforce", false,
		"Overrides the zone's mode for this device."},
	{"zone", conf_check_name, "the name of a zone", false,
		"The zone of this device, wherever it is connected."},
	{"decision", check_decision, "approve, quarantine or block", false,
		"approve (the default): it may what its lines say; quarantine "
		"and block: it may nothing."},
};

static const struct conf_schema core_schemas[] = {
	{"gateway", false, gateway_keys, ARRAY_SIZE(gateway_keys)},
	{"zone", true, zone_keys, ARRAY_SIZE(zone_keys)},
	{"device", true, device_keys, ARRAY_SIZE(device_keys)},
};

#define SCHEMAS_MAX 64

static size_t collect_schemas(const struct conf_schema *schemas[SCHEMAS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(core_schemas); i++)
		schemas[n++] = &core_schemas[i];
	for (size_t m = 0; m < agent_modules_count; m++) {
		const struct module *module = agent_modules[m];

		for (size_t i = 0; i < module->n_schemas; i++) {
			if (n < SCHEMAS_MAX)
				schemas[n++] = &module->schemas[i];
		}
	}
	return n;
}

static void check_all(struct conf *conf)
{
	config_check(conf);
	for (size_t i = 0; i < agent_modules_count; i++) {
		if (agent_modules[i]->check)
			agent_modules[i]->check(conf);
	}
}

int config_load(const char *file, struct conf **ret_conf)
{
	const struct conf_schema *schemas[SCHEMAS_MAX];
	struct conf *conf = NULL;
	int r;

	r = conf_load(file, schemas, collect_schemas(schemas), &conf);
	if (r < 0)
		return r;
	for (size_t i = 0; i < agent_modules_count; i++) {
		if (agent_modules[i]->expand)
			agent_modules[i]->expand(conf);
	}
	check_all(conf);
	*ret_conf = conf;
	return conf_problem_count(conf) ? -EINVAL : 0;
}

/* What was checked already is; two of one kind may not be. */
int config_overlay(
	struct agent *agent, const struct conf *files, struct conf **ret_conf)
{
	struct conf *conf = NULL;
	bool added = false;
	int r = conf_copy(files, &conf);

	for (size_t i = 0; i < agent_modules_count && r == 0; i++) {
		if (agent_modules[i]->overlay)
			added |= agent_modules[i]->overlay(agent, conf);
	}
	if (added)
		check_all(conf);
	if (r == 0)
		r = devices_number(conf, &agent->numbers);
	*ret_conf = conf;
	return r == 0 && conf_problem_count(conf) ? -EINVAL : r;
}

enum log_level config_log_level(const struct conf *conf)
{
	enum log_level level = LOG_LEVEL_INFO;

	/* The check has made sure that the name is known. */
	if (log_level_parse(conf_text(conf_next(conf, "gateway", NULL),
				    "log-level", "info"),
		    &level) < 0)
		return LOG_LEVEL_INFO;
	return level;
}

static void print_json_text(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static void print_json(const struct conf *conf, const char *file)
{
	size_t n = conf_problem_count(conf);

	printf("{\"file\": ");
	print_json_text(file);
	printf(", \"ok\": %s, \"problems\": [", n ? "false" : "true");
	for (size_t i = 0; i < n; i++) {
		const struct conf_problem *problem = conf_problem(conf, i);

		printf("%s{\"file\": ", i ? ", " : "");
		print_json_text(problem->file);
		printf(", \"line\": %u, \"text\": ", problem->line);
		print_json_text(problem->text);
		printf("}");
	}
	printf("]}\n");
}

static int format_problem(
	const struct conf_problem *problem, char *text, size_t size)
{
	if (problem->line)
		return snprintf(text, size, "%s:%u: %s\n", problem->file,
			problem->line, problem->text);
	return snprintf(text, size, "%s: %s\n", problem->file, problem->text);
}

void config_print(const struct conf *conf, const char *file, bool json)
{
	size_t n = conf_problem_count(conf);

	if (json) {
		print_json(conf, file);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		const struct conf_problem *problem = conf_problem(conf, i);

		if (problem->line)
			printf("%s:%u: %s\n", problem->file, problem->line,
				problem->text);
		else
			printf("%s: %s\n", problem->file, problem->text);
	}
	if (n == 0)
		printf("%s: no problems\n", file);
	else
		printf("%s: %zu problem%s\n", file, n, n == 1 ? "" : "s");
}

void config_report(const struct conf *conf, char *report, size_t size)
{
	size_t used = 0;

	report[0] = 0;
	for (size_t i = 0; conf && i < conf_problem_count(conf); i++) {
		int n = format_problem(
			conf_problem(conf, i), report + used, size - used);

		if (n < 0 || (size_t)n >= size - used)
			break;
		used += (size_t)n;
	}
	if (used)
		report[used - 1] = 0; /* the last newline */
}

void config_leave(const struct agent *agent)
{
	_cleanup_(cleanup_close) int folder = file_open_folder(
		agent->options.run);
	_cleanup_(cleanup_free) char *text = NULL;
	size_t size = 0;
	int r = folder < 0 ? folder : conf_write(agent->files, &text, &size);

	if (r == 0)
		r = file_replace(folder, "in-force.conf", text, size, 0600);
	if (r < 0)
		log_warning("what is in force could not be written to %s: %s",
			agent->options.run, strerror(-r));
}
