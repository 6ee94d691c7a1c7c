/*
 * A Node-API addon with two functions.  become(uid, gid): this process, with all its threads, becomes another account for good.
 * becomeNetAdmin(uid, gid) does the same, but for one capability, CAP_NET_ADMIN, should the process have it: the calling thread keeps it,
 * and the programs that it starts have it (capabilities(7), "Ambient").
 *
 * Why not process.setuid and its like: Node throws in each of them where the libuv that it shares with others might use
 * io_uring (node 20.19.2 with libuv 1.50, Debian 13; src/node_credentials.cc, UvMightBeUsingIoUring), whatever the environment says.
 * What is behind that, CVE-2024-22017, is looked for by whoever calls this (src/map/privileges.ts).
 *
 * Promises: the groups are those of the account (initgroups(3)) and its own one, or `gid` alone where the number has no
 * name; real, effective and saved ids are changed, and looked at afterwards; whatever fails is thrown as an Error that names the
 * call.  After an Error the process may be the one account in part, and has to end.
 * All threads change, those of libuv's pool and of workers included: to the kernel ids are a thread's own, and the C library has
 * every thread change them: glibc by nptl(7), "NPTL and process credential changes", and credentials(7), "NOTES"; musl by
 * src/unistd/setxid.c.
 * Known limit: releases of musl whose setgroups does not go that way change the groups of the calling thread alone.
 * Nothing but Node-API is used, so it outlives updates of Node.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>
#include <node_api.h>

/* What getpwuid_r(3) is given first; it says ERANGE where an entry is longer. */
#define ENTRY_BYTES 1024
#define MAX_ENTRY_BYTES (1 << 20)

/* The name of the call that failed and why; NULL for none. */
struct outcome {
	const char *failed;
	int error;
};

static const struct outcome DONE = { NULL, 0 };

static struct outcome failed(const char *call, int error)
{
	return (struct outcome){ call, error };
}

/* The values by which getpwuid_r(3) may say that there is none (its man page, "ERRORS"). */
static bool says_none(int error)
{
	return error == 0 || error == ENOENT || error == ESRCH || error == EBADF || error == EPERM;
}

/* Takes the groups of the account; `*gid` becomes its own one. */
static struct outcome take_groups(uid_t uid, gid_t *gid)
{
	for (size_t size = ENTRY_BYTES; size <= MAX_ENTRY_BYTES; size *= 2) {
		char *buffer = malloc(size);
		if (buffer == NULL) return failed("malloc", ENOMEM);
		struct passwd entry, *found = NULL;
		struct outcome outcome = DONE;
		int error = getpwuid_r(uid, &entry, buffer, size, &found);
		if (found != NULL) {
			*gid = found->pw_gid;
			if (initgroups(found->pw_name, found->pw_gid) != 0) outcome = failed("initgroups", errno);
		} else if (error != ERANGE) {
			if (!says_none(error)) outcome = failed("getpwuid_r", error);
			else if (setgroups(1, gid) != 0) outcome = failed("setgroups", errno);
		}
		free(buffer);
		if (found != NULL || error != ERANGE) return outcome;
	}
	return failed("getpwuid_r", ERANGE);
}

/* Of all capabilities this thread keeps the one, for itself and for what it starts. */
static struct outcome keep_net_admin(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = { { 0 } };
	if (syscall(SYS_capget, &header, sets) != 0) return failed("capget", errno);
	const uint32_t kept = sets[CAP_TO_INDEX(CAP_NET_ADMIN)].permitted & CAP_TO_MASK(CAP_NET_ADMIN);
	memset(sets, 0, sizeof sets);
	sets[CAP_TO_INDEX(CAP_NET_ADMIN)] = (struct __user_cap_data_struct){ kept, kept, kept };
	if (syscall(SYS_capset, &header, sets) != 0) return failed("capset", errno);
	if (kept != 0 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_ADMIN, 0, 0) != 0)
		return failed("prctl", errno);
	return DONE;
}

static struct outcome change(uid_t uid, gid_t gid, bool is_net_admin)
{
	struct outcome outcome = take_groups(uid, &gid);
	if (outcome.failed != NULL) return outcome;
	if (is_net_admin && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) return failed("prctl", errno);
	if (setresgid(gid, gid, gid) != 0) return failed("setresgid", errno);
	if (setresuid(uid, uid, uid) != 0) return failed("setresuid", errno);
	uid_t ruid, euid, suid;
	if (getresuid(&ruid, &euid, &suid) != 0) return failed("getresuid", errno);
	if (ruid != uid || euid != uid || suid != uid) return failed("setresuid", EPERM);
	gid_t rgid, egid, sgid;
	if (getresgid(&rgid, &egid, &sgid) != 0) return failed("getresgid", errno);
	if (rgid != gid || egid != gid || sgid != gid) return failed("setresgid", EPERM);
	return is_net_admin ? keep_net_admin() : DONE;
}

/* An id as a number; -1, which would leave an id as it is (setresuid(2)), is none. */
static bool read_id(napi_env env, napi_value value, uint32_t *id)
{
	double number;
	if (napi_get_value_double(env, value, &number) != napi_ok) return false;
	if (!(number >= 0 && number < UINT32_MAX)) return false;
	*id = (uint32_t)number;
	return *id == number;
}

/* Both functions; the data says which. */
static const bool NET_ADMIN = true;

static napi_value become(napi_env env, napi_callback_info info)
{
	size_t count = 2;
	napi_value arguments[2];
	void *data;
	uint32_t uid, gid;
	if (napi_get_cb_info(env, info, &count, arguments, NULL, &data) != napi_ok || count != 2 ||
	    !read_id(env, arguments[0], &uid) || !read_id(env, arguments[1], &gid)) {
		napi_throw_type_error(env, NULL, "become: not a uid and a gid");
		return NULL;
	}
	struct outcome outcome = change(uid, gid, data == &NET_ADMIN);
	if (outcome.failed != NULL) {
		char message[256];
		snprintf(message, sizeof message, "%s: %s", outcome.failed, strerror(outcome.error));
		napi_throw_error(env, NULL, message);
	}
	return NULL;
}

static bool export_function(napi_env env, napi_value exports, const char *name, void *data)
{
	napi_value function;
	return napi_create_function(env, name, NAPI_AUTO_LENGTH, become, data, &function) == napi_ok &&
	       napi_set_named_property(env, exports, name, function) == napi_ok;
}

NAPI_MODULE_INIT(/* env, exports */)
{
	if (!export_function(env, exports, "become", NULL) ||
	    !export_function(env, exports, "becomeNetAdmin", (void *)&NET_ADMIN)) {
		napi_throw_error(env, NULL, "become cannot be exported");
		return NULL;
	}
	return exports;
}
