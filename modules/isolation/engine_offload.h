/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps the interfaces of the flowtable in force equal to the uplinks that
 * are there. For the engine and for who cuts connections.
 */
#ifndef GATEHOUSE_ISOLATION_ENGINE_OFFLOAD_H
#define GATEHOUSE_ISOLATION_ENGINE_OFFLOAD_H

#include "modules/isolation/engine.h"

/* After each load, and when interfaces came or went. */
void engine_offload(struct engine *engine);
/* Does without the flowtable, until this process ends. */
void engine_forgo_offload(struct engine *engine);

#endif
