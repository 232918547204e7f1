/* docker-credential-pullpass: asks the agent; where none answers, it becomes the full program.
 * The rules are those of helper/pullpass/credhelper/fast.py; tests/contract/fastpath holds both. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef FULL_PROGRAM /* the words that start it */
#define FULL_PROGRAM "/usr/bin/python3", "-I", "-m", "pullpass.credhelper"
#endif
#define NOT_FOUND "credentials not found in native keychain\n"
#define STILL_OPEN "stdin is still open after 25s: try again\n"
#define NOT_STARTED "the full program cannot be started: install pullpass again\n"

enum { HEAD_MAX = 64, STDIN_MAX = 65536, BODY_MAX = 1048576, PATIENCE = 25 /* seconds */ };

static const char *words[] = {FULL_PROGRAM, NULL, NULL, NULL}; /* two tell that one is too many */
static const char **const ours = words + sizeof words / sizeof *words - 3;
/* One more byte than allowed shows what is too long, and the full program reads no more either. */
static char held[STDIN_MAX + 1], reply[HEAD_MAX + BODY_MAX + 1];
static volatile ssize_t size = -1; /* of what is held; -1 while stdin is as it was */
static volatile sig_atomic_t reading;

/* Says line on the streams where clients look for it, and ends the process. */
static _Noreturn void end(const char *line, size_t length, int status)
{
    struct iovec hint[] = {{"docker-credential-pullpass: ", 28}, {(void *)line, length}};
    alarm(0);
    signal(SIGPIPE, SIG_IGN);
    if (status && (length != strlen(NOT_FOUND) || memcmp(line, NOT_FOUND, length) != 0))
        (void)!writev(2, hint, 2); /* the line on stdout says the same */
    for (ssize_t went; length > 0; line += went, length -= (size_t)went)
        if ((went = write(1, line, length)) < 0)
            _exit(1);
    _exit(status);
}

/* Becomes the full program, whose stdin begins with what is held of ours. Also what SIGALRM calls,
 * whatever waits then: all that is called from here is async-signal-safe. */
static _Noreturn void hand_over(int number)
{
    int kept = size < 0 ? -1 : memfd_create("stdin", MFD_CLOEXEC);
    alarm(0);
    if (number == SIGALRM && reading)
        end(STILL_OPEN, strlen(STILL_OPEN), 1);
    if (size < 0 || (kept >= 0 && write(kept, held, (size_t)size) == size
                     && lseek(kept, 0, SEEK_SET) == 0 && dup2(kept, 0) == 0))
        execv(words[0], (char *const *)words);
    end(NOT_STARTED, strlen(NOT_STARTED), 1);
}

/* Gives the exit status and the line of a whole reply, or -1 for `self` and all else. */
static int parse(const char *whole, size_t came, const char **line, size_t *length)
{
    const char *statuses[] = {"ok", "error"}, *feed = memchr(whole, '\n', came);
    char head[HEAD_MAX];

    *line = feed ? feed + 1 : whole + came;
    *length = came - (size_t)(*line - whole);
    if (*length == 0 || *length > BODY_MAX || whole[came - 1] != '\n')
        return -1;
    for (int status = 0; status < 2; status++) {
        int expected = snprintf(head, sizeof head, "%s %zu\n", statuses[status], *length);
        if (expected == *line - whole && memcmp(head, whole, (size_t)expected) == 0)
            return status && memchr(*line, '\n', *length - 1) ? -1 : status;
    }
    return -1;
}

/* Reads to the end, or until limit bytes are there. Gives how many, or -1. */
static ssize_t read_all(int fd, char *into, size_t limit)
{
    size_t have = 0;
    for (ssize_t more = 1; more != 0 && have < limit; have += (size_t)more)
        if ((more = read(fd, into + have, limit - have)) < 0)
            return -1;
    return (ssize_t)have;
}

/* Gives a connection to an agent that root or this user runs, or -1. */
static int connected(const char *directory, const char *name)
{
    struct sockaddr_un place = {.sun_family = AF_UNIX};
    struct ucred peer = {0};
    socklen_t known = sizeof peer;
    int length = snprintf(place.sun_path, sizeof place.sun_path, "%s%s", directory, name);
    int agent = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* Where stdin, stdout or stderr is closed, the connection would stand in its place. */
    if (agent > 2 && (size_t)length < sizeof place.sun_path
        && connect(agent, (struct sockaddr *)&place, sizeof place) == 0
        && getsockopt(agent, SOL_SOCKET, SO_PEERCRED, &peer, &known) == 0
        && (peer.uid == 0 || peer.uid == geteuid()))
        return agent;
    close(agent);
    return -1;
}

/* Says what the agent answers to verb, and returns only if it answers nothing. */
static void ask(int agent, const char *verb)
{
    size_t body = size > 0 ? (size_t)size : 0, length;
    char head[HEAD_MAX];
    struct iovec parts[] = {{head, 0}, {held, body}};
    struct msghdr request = {.msg_iov = parts, .msg_iovlen = 2};
    const char *line;

    parts[0].iov_len = (size_t)snprintf(head, sizeof head, "%s %zu\n", verb, body);
    if (sendmsg(agent, &request, MSG_NOSIGNAL) != (ssize_t)(parts[0].iov_len + body))
        return;
    ssize_t came = read_all(agent, reply, sizeof reply);
    int status = came > 0 ? parse(reply, (size_t)came, &line, &length) : -1;
    if (status >= 0)
        end(line, length, status);
}

int main(int argc, char **argv)
{
    const char *verb = argc == 2 ? argv[1] : "", *own = getenv("PULLPASS_CONFIG");
    const char *named = getenv("PULLPASS_AGENT"), *runtime = getenv("XDG_RUNTIME_DIR");
    int get = strcmp(verb, "get") == 0, agent = -1;
    struct sigaction action = {.sa_handler = hand_over, .sa_flags = SA_NODEFER | SA_RESTART};
    sigset_t blocked = {0};

    ours[0] = argc > 1 ? argv[1] : NULL;
    ours[1] = argc > 2 ? argv[2] : NULL;
    if ((!get && strcmp(verb, "list") != 0) || (own && *own))
        hand_over(0);
    prctl(PR_SET_DUMPABLE, 0); /* no secret in a core */
    sigaddset(&blocked, SIGALRM);
    sigprocmask(SIG_UNBLOCK, &blocked, NULL);
    sigaction(SIGALRM, &action, NULL);
    alarm(PATIENCE);
    if (named && *named)
        agent = connected(named, "");
    else if (!runtime || !*runtime || (agent = connected(runtime, "/pullpass/agent.sock")) < 0)
        agent = connected("/run", "/pullpass/agent.sock");
    if ((reading = get && agent >= 0))
        size = read_all(0, held, sizeof held);
    reading = 0;
    if (agent >= 0 && size <= STDIN_MAX && get == (size >= 0))
        ask(agent, verb);
    hand_over(0);
}
