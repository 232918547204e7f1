/* Shows parse() replies of all kinds for a number of seconds.
 *
 * The property: parse takes exactly the replies that it would write itself. Replies are made from
 * the protocol's grammar and then damaged; every run makes the same ones. A parser of eight branches
 * needs no coverage to guide it, and gcc alone builds this; for libFuzzer the entry is the usual:
 * clang -DLIBFUZZER -fsanitize=fuzzer,address,undefined fuzz.c */
#define main launcher
#include "docker-credential-pullpass.c"
#undef main
#include <stdint.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t came);

static void require(int truth, const char *what)
{
    if (!truth) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

/* Gives parse's answer, once it was compared with the reply written anew. */
static int judged(const uint8_t *bytes, size_t came)
{
    char *whole = malloc(came), head[HEAD_MAX]; /* nothing readable stands behind its end */
    const char *line;
    size_t length;

    require(whole || came == 0, "no memory");
    if (came > 0)
        memcpy(whole, bytes, came);
    int status = parse(whole, came, &line, &length);
    if (status >= 0) {
        size_t start = (size_t)snprintf(head, sizeof head, "%s %zu\n", status ? "error" : "ok", length);
        require(status < 2 && length > 0 && length <= BODY_MAX, "a status or length out of bounds");
        require(start + length == came && memcmp(whole, head, start) == 0, "not as it is written");
        require(line == whole + start && line[length - 1] == '\n', "not the whole body");
        require(!status || memchr(line, '\n', length) == line + length - 1, "an error of two lines");
    }
    free(whole);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t came)
{
    judged(bytes, came);
    return 0;
}

#ifndef LIBFUZZER
static uint8_t made[HEAD_MAX + BODY_MAX + 64];

static uint64_t below(uint64_t limit) /* xorshift64* */
{
    static uint64_t state = 0x9e3779b97f4a7c15;
    state ^= state >> 12, state ^= state << 25, state ^= state >> 27;
    return (state * 0x2545f4914f6cdd1d >> 16) % limit;
}

/* Writes a reply with this status and body length into made. Gives its size. */
static size_t make(const char *status, const char *format, size_t length)
{
    size_t start = (size_t)snprintf((char *)made, HEAD_MAX, format, status, length);
    size_t come = start + length;

    memset(made + start, 'x', length);
    for (size_t at = start; at < come && at < start + 64; at++)
        made[at] = (uint8_t)below(256);
    for (size_t at = start; at < come; at += 1 + below(64))
        made[at] = made[at] == '\n' ? ' ' : made[at];
    if (length > 0)
        made[come - 1] = '\n';
    return come;
}

static size_t damage(size_t came)
{
    static const char telling[] = "\n 0123456789okerslf\0\377+-\r\t";
    size_t at = below(came < 80 ? came + 1 : 80);

    switch (below(5)) {
    case 0: return at;
    case 1: made[came] = '\n'; return came + 1;
    case 2: made[at] = (uint8_t)telling[below(sizeof telling)]; return came;
    case 3: memmove(made + at, made + at + 1, came > at ? came - at - 1 : 0); return came - (came > at);
    default: memmove(made + at + 1, made + at, came - (at < came ? at : came)); return came + 1;
    }
}

static size_t some_length(void)
{
    static const size_t edges[] = {0, 1, 2, 9, 10, 99, 100, BODY_MAX - 1, BODY_MAX, BODY_MAX + 1};
    return below(500) ? below(90) : edges[below(sizeof edges / sizeof *edges)];
}

int main(int argc, char **argv)
{
    static const char *statuses[] = {"ok", "error", "self", "", "Ok", "okerror", "ok ", " ok"};
    static const char *formats[] = {"%s %zu\n", "%s 0%zu\n", "%s +%zu\n", "%s  %zu\n", "%s %zu\r\n",
                                    "%s%zu\n", "%s %zu", "%s %zu \n", "%s 0x%zx\n", "%s -%zu\n"};
    time_t stop = time(NULL) + (argc > 1 ? atoi(argv[1]) : 20);
    unsigned long taken = 0, shown = 0;

    for (; shown % 1024 || time(NULL) < stop; shown++) {
        size_t status = below(8), format = below(3) ? 0 : below(10), length = some_length();
        size_t came = make(statuses[status], formats[format], length);
        if (status == 0 && format == 0 && length > 0 && length <= BODY_MAX)
            require(judged(made, came) == 0, "a whole reply was not taken");
        for (size_t times = below(4); times > 0; times--)
            came = damage(came);
        taken += judged(made, came) >= 0;
    }
    printf("%lu replies shown, %lu taken\n", shown, taken);
    return taken == 0;
}
#endif
