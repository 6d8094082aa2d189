/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of capabilities that were built in; nothing else names them. */
#include "agent/agent.h"

extern const struct module isolation_module, proxy_module, support_module,
	update_module, bus_module, discovery_module, registry_module;

/* Numbered users (--uids) follow this order; isolation is started first. */
const struct module *const agent_modules[] = {
#ifdef WITH_ISOLATION
	&isolation_module,
#endif
#ifdef WITH_PROXY
	&proxy_module,
#endif
#ifdef WITH_SUPPORT
	&support_module,
#endif
#ifdef WITH_UPDATE
	&update_module,
#endif
#ifdef WITH_BUS
	&bus_module,
#endif
#ifdef WITH_DISCOVERY
	&discovery_module,
#endif
#ifdef WITH_REGISTRY
	&registry_module,
#endif
	NULL,
};

const size_t agent_modules_count = ARRAY_SIZE(agent_modules) - 1;
