/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What modules may ask of the agent: the services of agent/lib/module.h.
 * Messages go to the worker of a named module, and to nobody else.
 */
#include <errno.h>
#include <string.h>

#include "agent/agent.h"

struct loop *agent_loop(struct agent *agent)
{
	return agent->loop;
}

struct state *agent_state(struct agent *agent)
{
	return agent->state;
}

const struct conf *agent_conf(struct agent *agent)
{
	if (agent->transaction.active && agent->sending)
		return agent->transaction.wanted;
	return agent->conf;
}

static struct process *find_process(struct agent *agent, const char *module)
{
	for (size_t i = 0; i < agent->n_processes; i++) {
		if (strcmp(agent->processes[i].module->name, module) == 0)
			return &agent->processes[i];
	}
	return NULL;
}

int agent_send(struct agent *agent, const char *module, uint16_t type,
	const void *message, size_t size, int fd)
{
	struct process *process = find_process(agent, module);
	int r;

	if (!process)
		return -ENOENT;
	/*
	 * Part of a configuration: only for whom it is being sent to. Who is
	 * down gets all of it when it is back, and is nobody's failure.
	 */
	if (agent->sending && !process->in_step)
		return 0;
	if (process->state == PROCESS_STATE_DOWN)
		return -ENOENT;
	r = ipc_send(&process->link, type, message, size, fd);
	if (r == 0 && agent->sending && process->module->sent)
		process->module->sent(agent, type, message, size);
	/* It has ended, only nobody has noticed yet. */
	if (!agent->sending && (r == -EPIPE || r == -ECONNRESET))
		return -ENOENT;
	return r;
}

void agent_reload(struct agent *agent,
	void (*done)(void *arg, int error, const char *report), void *arg)
{
	if (transaction_reload(agent, done, arg) < 0 && done)
		done(arg, -ENOMEM, "out of memory");
}

void agent_refresh(struct agent *agent)
{
	agent_refresh_then(agent, NULL, NULL);
}

void agent_refresh_then(struct agent *agent,
	void (*done)(void *arg, int error, const char *report), void *arg)
{
	if (transaction_refresh(agent, done, arg) < 0 && done)
		done(arg, -ENOMEM, "out of memory");
}

int agent_user(
	struct agent *agent, const char *module, uid_t *ret_uid, gid_t *ret_gid)
{
	struct process *process = find_process(agent, module);

	if (!process)
		return -ENOENT;
	*ret_uid = process->uid;
	*ret_gid = process->gid;
	return 0;
}

const char *agent_libexec_dir(struct agent *agent)
{
	return agent->options.workers;
}

const char *agent_state_dir(struct agent *agent)
{
	return agent->options.state;
}

const char *agent_run_dir(struct agent *agent)
{
	return agent->options.run;
}

const char *agent_bus_path(struct agent *agent)
{
	return agent->options.bus;
}
