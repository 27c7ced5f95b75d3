/*
 * A process that has entered the sandbox tries what it should not be able to
 * do, and what it must still be able to. Each attempt has a process of its own,
 * since there is no way back; it tells the outcome by its exit status.
 */
#include "lib/test.h"
#include "sandbox/sandbox.h"
#include "util/host/pages.h"

#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define BROKEN 255 /* exit status: not even the sandbox was entered */

static char folder[PATH_MAX], beside[PATH_MAX], inside[PATH_MAX],
    fresh[PATH_MAX];

static int outcome(long rc)
{
	return rc < 0 ? errno : 0;
}

static int read_inside(void)
{
	char byte;
	int fd = open(inside, O_RDONLY);

	return fd < 0 ? errno : outcome(read(fd, &byte, 1) - 1);
}

/* The way around the page cache: the same file by its descriptor. Not every
 * file system has that way; what refuses then is not the sandbox. */
static int read_around(void)
{
	char again[32];
	int fd = open(inside, O_RDONLY);

	snprintf(again, sizeof(again), "/proc/self/fd/%d", fd);
	fd = open(again, O_RDONLY | O_DIRECT);
	return fd < 0 && errno == EINVAL ? 0 : outcome(fd);
}

/* Whether or not this kernel has the call, it must reach it. */
static int ask_what_is_cached(void)
{
	uint64_t range[2] = { 0, 1 }, counts[5];
	int fd = open(inside, O_RDONLY);
	long rc = syscall(MIH_PAGES_CALL, fd, range, counts, 0);

	return rc < 0 && errno == ENOSYS ? 0 : outcome((int)rc);
}

static int read_beside(void)
{
	return outcome(open(beside, O_RDONLY));
}

static int read_passwords(void)
{
	return outcome(open("/etc/passwd", O_RDONLY));
}

static int list_root(void)
{
	return outcome(open("/", O_RDONLY | O_DIRECTORY));
}

static int write_inside(void)
{
	return outcome(open(inside, O_WRONLY));
}

static int update_inside(void)
{
	return outcome(open(inside, O_RDWR));
}

static int make_inside(void)
{
	return outcome(open(fresh, O_WRONLY | O_CREAT | O_EXCL, 0600));
}

static int replace_inside(void)
{
	int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL, 0600);

	if (fd < 0 || write(fd, "text", 4) != 4)
		return errno;
	return outcome(rename(fresh, inside));
}

static int remove_inside(void)
{
	return outcome(unlink(inside));
}

static int run_program(void)
{
	char *const argv[] = { (char *)"true", NULL };

	execv("/bin/true", argv);
	return errno;
}

static int fork_process(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return outcome(pid);
}

static int open_socket(void)
{
	return outcome(socket(AF_INET, SOCK_STREAM, 0));
}

/* A socket of before, as the log has one. */
static int inet = -1, local = -1;

static int connect_inet(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(9),
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };

	return outcome(connect(inet, (struct sockaddr *)&to, sizeof(to)));
}

static int connect_local(void)
{
	struct sockaddr_un to = { AF_UNIX, "/run/nobody" };

	return outcome(connect(local, (struct sockaddr *)&to, sizeof(to)));
}

static int send_to_address(void)
{
	struct sockaddr_un to = { AF_UNIX, "/run/nobody" };

	return outcome(
	    sendto(local, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)));
}

static int trace_parent(void)
{
	return outcome(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}

static int signal_parent(void)
{
	return outcome(kill(getppid(), 0));
}

static int signal_self(void)
{
	return outcome(kill(getpid(), 0));
}

static int map_code(void)
{
	void *at = mmap(NULL, 4096, PROT_READ | PROT_EXEC,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? errno : 0;
}

static int new_namespace(void)
{
	return outcome(unshare(CLONE_NEWUSER));
}

static int change_owner(void)
{
	return outcome(chown(inside, 65534, 65534));
}

static void *nothing(void *context)
{
	return context;
}

/* Cancelling needs a library that the C library loads when it must. */
static int start_thread(void)
{
	pthread_t thread;
	int err = pthread_create(&thread, NULL, nothing, NULL);

	if (!err) {
		pthread_cancel(thread);
		err = pthread_join(thread, NULL);
	}
	return err;
}

static int have_capabilities(void)
{
	return mih_sandbox_state()->capabilities ? EPERM : 0;
}

static int may_dump(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_CORE, &limit);
	return prctl(PR_GET_DUMPABLE) || limit.rlim_max ? EPERM : 0;
}

static struct mih_sandbox_path readable[] = { { -1, MIH_SANDBOX_READ } };
static struct mih_sandbox_path makeable[] = {
	{ -1, MIH_SANDBOX_READ | MIH_SANDBOX_MAKE },
};
static struct mih_sandbox_path driver[] = {
	{ -1, MIH_SANDBOX_READ | MIH_SANDBOX_EXECUTE },
};

static const struct mih_sandbox_params serving = {
	.paths = readable,
	.npaths = 1,
	.filter = MIH_SANDBOX_SERVE,
};
static const struct mih_sandbox_params making = {
	.paths = makeable,
	.npaths = 1,
	.filter = MIH_SANDBOX_SERVE,
};
static const struct mih_sandbox_params driving = { .paths = driver,
						   .npaths = 1 };
static const struct mih_sandbox_params unfiltered = { .paths = readable,
						      .npaths = 1 };

/* The errno that @attempt ends with inside of the sandbox. */
static int try(const struct mih_sandbox_params *params, int (*attempt)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		inet = socket(AF_INET, SOCK_STREAM, 0);
		local = socket(AF_UNIX, SOCK_DGRAM, 0);
		if (mih_sandbox_enter(params)) {
			fprintf(stderr, "# %s\n", mih_err_message());
			_exit(BROKEN);
		}
		_exit(attempt());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static const struct attempt {
	const char *what;
	int (*attempt)(void);
	bool works;
} serving_attempts[] = {
	{ "read a file of the model", read_inside, true },
	{ "read it around the page cache", read_around, true },
	{ "ask what of it is cached", ask_what_is_cached, true },
	{ "start and cancel a thread", start_thread, true },
	{ "signal itself", signal_self, true },
	{ "have no capability", have_capabilities, true },
	{ "read a file beside the model", read_beside, false },
	{ "read /etc/passwd", read_passwords, false },
	{ "list /", list_root, false },
	{ "write a file of the model", write_inside, false },
	{ "open it for both", update_inside, false },
	{ "make a file", make_inside, false },
	{ "remove a file", remove_inside, false },
	{ "run a program", run_program, false },
	{ "fork", fork_process, false },
	{ "make a socket", open_socket, false },
	{ "connect by TCP", connect_inet, false },
	{ "connect to a local socket", connect_local, false },
	{ "send to an address", send_to_address, false },
	{ "trace another process", trace_parent, false },
	{ "signal another process", signal_parent, false },
	{ "map code", map_code, false },
	{ "make a namespace", new_namespace, false },
	{ "give a file away", change_owner, false },
};

static void check(const struct mih_sandbox_params *params,
		  const struct attempt *one)
{
	int err = try(params, one->attempt);

	if (one->works ? err != 0 : err != EPERM && err != EACCES)
		fail_msg("%s: %s", one->what, err ? strerror(err) : "it did");
}

static void test_serving(void **state)
{
	(void)state;
	for (size_t i = 0;
	     i < sizeof(serving_attempts) / sizeof(*serving_attempts); i++)
		check(&serving, &serving_attempts[i]);
}

static void test_making_files_where_allowed(void **state)
{
	static const struct attempt rows[] = {
		{ "replace a file", replace_inside, true },
		{ "read a file beside", read_beside, false },
		{ "run a program", run_program, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		check(&making, &rows[i]);
}

static void test_drivers(void **state)
{
	static const struct attempt rows[] = {
		{ "read any file", read_passwords, true },
		{ "run a program", run_program, true },
		{ "write a file", write_inside, false },
		{ "make a file", make_inside, false },
		{ "connect by TCP", connect_inet, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		check(&driving, &rows[i]);
}

/* Landlock alone, as without libseccomp. */
static void test_without_a_filter(void **state)
{
	static const struct attempt rows[] = {
		{ "read a file of the model", read_inside, true },
		{ "leave no core dump", may_dump, true },
		{ "have no capability", have_capabilities, true },
		{ "read a file beside", read_beside, false },
		{ "write a file of the model", write_inside, false },
		{ "open it for both", update_inside, false },
		{ "make a file", make_inside, false },
		{ "run a program", run_program, false },
		{ "connect by TCP", connect_inet, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		check(&unfiltered, &rows[i]);
}

static int say_state(void)
{
	char line[256];

	mih_sandbox_describe(mih_sandbox_state(), line, sizeof(line));
	return strncmp(line, "no capabilities, no new privileges, Landlock ",
		       45) ||
	       !strstr(line, "system calls filtered, no network, no core");
}

static void test_the_state_is_told(void **state)
{
	char line[256];

	(void)state;
	mih_sandbox_describe(mih_sandbox_state(), line, sizeof(line));
	assert_string_equal(line, "off");
	assert_int_equal(try(&serving, say_state), 0);
}

static void write_file(const char *path)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs("text", f);
	fclose(f);
}

static int setup(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(folder, sizeof(folder), "%s/mihfs-sandbox.XXXXXX",
		 tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(folder));
	snprintf(beside, sizeof(beside), "%.4000s.beside", folder);
	snprintf(inside, sizeof(inside), "%.4000s/inside", folder);
	snprintf(fresh, sizeof(fresh), "%.4000s/fresh", folder);
	write_file(beside);
	write_file(inside);
	readable[0].fd = makeable[0].fd = open(folder, O_PATH | O_CLOEXEC);
	driver[0].fd = open("/", O_PATH | O_CLOEXEC);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(fresh);
	unlink(inside);
	unlink(beside);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_serving),
		cmocka_unit_test(test_making_files_where_allowed),
		cmocka_unit_test(test_drivers),
		cmocka_unit_test(test_without_a_filter),
		cmocka_unit_test(test_the_state_is_told),
	};
	struct mih_sandbox_offer offer;

	mih_sandbox_probe(&offer);
	if (HAVE_SANITIZERS || offer.landlock < 4 || !offer.filter_built ||
	    !offer.filter_kernel) {
		printf("1..0 # SKIP needs Landlock 4 and libseccomp, "
		       "and no sanitizers\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, setup, teardown);
}
