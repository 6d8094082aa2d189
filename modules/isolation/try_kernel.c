/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loads rules for a made-up home, run by root for "gatehouse doctor". Leaves
 * the host's network first; must never load anything if it could not.
 */
#include "modules/isolation/try_kernel.h"

#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "modules/isolation/kernel/nft.h"

static int add_zone(struct policy *policy, const char *name, uint8_t role)
{
	struct isolation_zone zone = {
		.role = role, .mode = RECORD_MODE_ENFORCE, .zone = role};

	memcpy(zone.interface, name, strlen(name));
	return policy_add_zone(policy, &zone);
}

/* One of each kind: an exact allow, a wide one, a pin, a worker's fence. */
static int make(struct policy *policy, char *reason)
{
	struct isolation_device device = {.id = 1, .mac = {{2, 0, 0, 0, 0, 1}}};
	struct isolation_allow exact = {.device = 1,
		.to = {AF_INET, {192, 0, 2, 1}},
		.length = 32,
		.protocol = IPPROTO_TCP,
		.first = 443,
		.last = 443};
	struct isolation_allow wide = {.device = 1,
		.to = {AF_INET6, {0x20, 1, 0xd, 0xb8}},
		.length = 32,
		.protocol = IPPROTO_UDP,
		.first = 1,
		.last = 9};
	struct isolation_redirect redirect = {1, 80, 8080};
	struct isolation_pin pin = {
		.ip = {AF_INET, {192, 0, 2, 9}}, .device = 1};
	struct isolation_fence fence = {.uid = 1, .port = 443, .local = 8080};
	int r = add_zone(policy, "devices", ISOLATION_ROLE_DEVICES);

	if (r == 0)
		r = add_zone(policy, "owner", ISOLATION_ROLE_OWNER);
	if (r == 0)
		r = policy_add_device(policy, &device);
	if (r == 0)
		r = policy_add_allow(policy, &exact);
	if (r == 0)
		r = policy_add_allow(policy, &wide);
	if (r == 0)
		r = policy_add_redirect(policy, &redirect);
	if (r == 0)
		r = policy_add_pin(policy, &pin);
	if (r == 0)
		r = policy_add_fence(policy, &fence);
	return r < 0 ? r : policy_seal(policy, reason);
}

static int load(const struct policy *policy, char *reason)
{
	struct topology topology;
	struct ruleset_input input = {policy, &topology, NULL, 1};
	struct ruleset ruleset;
	struct nft nft;
	int r = nft_open(&nft);

	if (r < 0) {
		snprintf(reason, POLICY_REASON, "no way to nftables: %s",
			strerror(-r));
		return r;
	}
	topology_build(policy, NULL, 0, &topology);
	r = ruleset_build(&input, nft_seq(&nft), &ruleset, reason);
	if (r == 0) {
		r = nft_commit(&nft, &ruleset.batch, reason);
		if (r == 0)
			r = nft_verify(&nft, &ruleset, reason);
		ruleset_free(&ruleset);
	}
	topology_free(&topology);
	nft_close(&nft);
	return r;
}

int try_kernel_main(void)
{
	char reason[POLICY_REASON] = "";
	struct policy policy = {0};
	int r;

	if (unshare(CLONE_NEWNET) < 0) {
		fprintf(stderr, "no network namespace: %s\n", strerror(errno));
		return 1;
	}
	r = make(&policy, reason);
	if (r == 0)
		r = load(&policy, reason);
	policy_free(&policy);
	if (r < 0)
		fprintf(stderr, "%s\n", reason[0] ? reason : strerror(-r));
	return r < 0 ? 1 : 0;
}
