/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What hostapd's configuration says, and what a made-up host has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/lib/wifi.h"

static size_t parse(const char *text, struct wifi_bss *bss)
{
	return wifi_parse(text, strlen(text), bss, WIFI_BSS_MAX);
}

static void test_parse(void **state)
{
	struct wifi_bss bss[WIFI_BSS_MAX];

	(void)state;
	assert_int_equal(parse("# a comment\ninterface=wlan0\nbridge=br0\n"
			       "ssid=things\nap_isolate=1\n"
			       "bss=wlan0_1\nssid=guests\r\n"
			       "bss=wlan0_2\r\nap_isolate=0\r\n",
				 bss),
		3);
	assert_string_equal(bss[0].interface, "wlan0");
	assert_int_equal(bss[0].line, 2);
	assert_true(bss[0].isolate);
	assert_int_equal(bss[0].isolate_line, 5);
	/* Each network has its own, and none by default. */
	assert_string_equal(bss[1].interface, "wlan0_1");
	assert_false(bss[1].isolate);
	assert_int_equal(bss[1].isolate_line, 0);
	assert_string_equal(bss[2].interface, "wlan0_2");
	assert_false(bss[2].isolate);
	assert_int_equal(bss[2].isolate_line, 9);
}

static void test_parse_strict(void **state)
{
	static const char *const off[] = {"interface=w\n#ap_isolate=1\n",
		"interface=w\n ap_isolate=1\n", "interface=w\nap_isolate = 1\n",
		"interface=w\nap_isolate=1 \n", "interface=w\nap_isolate=2\n",
		"interface=w\nap_isolate=1\nap_isolate=0",
		"interface=w\nap_isolate=\n", "interface=w\nap_isolated=1\n",
		"ap_isolate=1\ninterface=w\n", "interface=w\nap_isolate"};
	struct wifi_bss bss[WIFI_BSS_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(off); i++) {
		assert_int_equal(parse(off[i], bss), 1);
		assert_false(bss[0].isolate);
	}
	assert_int_equal(parse("interface=abcdefghijklmnop\n", bss), 1);
	assert_string_equal(bss[0].interface, "");
	assert_int_equal(parse("", bss), 0);
}

static void test_parse_limit(void **state)
{
	char text[(WIFI_BSS_MAX + 2) * 8] = "";
	struct wifi_bss bss[WIFI_BSS_MAX];

	(void)state;
	for (int i = 0; i < WIFI_BSS_MAX + 1; i++)
		memcpy(text + i * 6, "bss=a\n", 7);
	assert_int_equal(parse(text, bss), WIFI_BSS_MAX);
}

static char root[] = "/tmp/gatehouse-wifi-XXXXXX";

static void make_folder(const char *path)
{
	char whole[256];
	int n = snprintf(whole, sizeof(whole), "%s/", root);

	for (const char *p = path; *p; p++) {
		if (*p == '/')
			(void)mkdir(whole, 0755);
		whole[n++] = *p;
		whole[n] = 0;
	}
	assert_true(mkdir(whole, 0755) == 0 || errno == EEXIST);
}

static void make_file(const char *path, const char *text)
{
	char whole[256];
	FILE *file;

	snprintf(whole, sizeof(whole), "%s/%s", root, path);
	file = fopen(whole, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static enum wifi_verdict look(const char *interface, struct wifi *wifi)
{
	wifi_look(root, interface, wifi);
	return wifi->verdict;
}

static void test_look(void **state)
{
	char link[256];
	struct wifi w;

	(void)state;
	assert_non_null(mkdtemp(root));
	make_folder("etc/hostapd");
	make_folder("var/run");
	make_folder("sys/class/net/eth0");
	make_folder("sys/class/net/wlan0/phy80211");
	make_folder("sys/class/net/wlan1/wireless");
	make_folder("sys/class/net/wlan2/phy80211");
	make_folder("sys/class/net/wlan2/device");
	make_folder("sys/class/net/wlan3/phy80211");
	snprintf(link, sizeof(link), "%s/sys/class/net/wlan2/device/driver",
		root);
	assert_int_equal(symlink("../bus/drivers/brcmfmac", link), 0);
	make_file("etc/hostapd/hostapd.conf",
		"interface=wlan0\nap_isolate=1\nbss=wlan2\nap_isolate=1\n");
	make_file("etc/hostapd/hostapd.conf.old", "interface=wlan0\n");
	make_file("var/run/hostapd-phy1.conf", "ssid=x\ninterface=wlan1\n");
	assert_int_equal(look("eth0", &w), WIFI_WIRED);
	assert_int_equal(look("none", &w), WIFI_WIRED);
	assert_int_equal(look("wlan0", &w), WIFI_APART);
	assert_int_equal(look("wlan1", &w), WIFI_OPEN);
	assert_string_equal(w.file, "/var/run/hostapd-phy1.conf");
	assert_int_equal(w.line, 2);
	/* Whatever its file says. */
	assert_int_equal(look("wlan2", &w), WIFI_CANNOT);
	assert_int_equal(look("wlan3", &w), WIFI_UNKNOWN);
	/* Two files: one that says no is enough. */
	make_file("etc/hostapd/second.conf", "interface=wlan0\nap_isolate=0\n");
	assert_int_equal(look("wlan0", &w), WIFI_OPEN);
	assert_string_equal(w.file, "/etc/hostapd/second.conf");
	assert_int_equal(w.line, 2);
}

static int remove_one(
	const char *path, const struct stat *info, int kind, struct FTW *where)
{
	(void)info, (void)kind, (void)where;
	return remove(path);
}

static int clean(void **state)
{
	(void)state;
	return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_strict),
		cmocka_unit_test(test_parse_limit),
		cmocka_unit_test(test_look),
	};

	return cmocka_run_group_tests(tests, NULL, clean);
}
