/* tests/tsan/c11_threads.c: the threads of C11, made of POSIX threads; linked into programs that ThreadSanitizer watches.
 *
 * librdkafka takes its threads and locks from <threads.h>. ThreadSanitizer does not know these: a thread that thrd_create makes ends the process at its
 * first step, and a lock that nobody has seen orders nothing. Here is what librdkafka uses of it, in terms that ThreadSanitizer sees. glibc's own types
 * are what they stand for: mtx_t holds a pthread_mutex_t, cnd_t a pthread_cond_t, once_flag a pthread_once_t. */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

_Static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t) && sizeof(cnd_t) == sizeof(pthread_cond_t) && sizeof(once_flag) == sizeof(pthread_once_t), "glibc's types");

typedef struct Start {
    thrd_start_t function;
    void *argument;
} Start;

static int thrd_code(int code)
{
    switch (code) {
    case 0: return thrd_success;
    case ENOMEM: return thrd_nomem;
    case ETIMEDOUT: return thrd_timedout;
    case EBUSY: return thrd_busy;
    default: return thrd_error;
    }
}

static void *thread_main(void *argument)
{
    Start start = *(Start *)argument;
    free(argument);
    return (void *)(intptr_t)start.function(start.argument);
}

int thrd_create(thrd_t *thread, thrd_start_t function, void *argument)
{
    Start *start = malloc(sizeof(*start));
    if (!start)
        return thrd_nomem;
    *start = (Start){ function, argument };
    int code = thrd_code(pthread_create(thread, NULL, thread_main, start));
    if (code != thrd_success)
        free(start);
    return code;
}

int thrd_join(thrd_t thread, int *result)
{
    void *value = NULL;
    int code = thrd_code(pthread_join(thread, &value));
    if (result)
        *result = (int)(intptr_t)value;
    return code;
}

thrd_t thrd_current(void)
{
    return pthread_self();
}

int mtx_init(mtx_t *mutex, int type)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, type & mtx_recursive ? PTHREAD_MUTEX_RECURSIVE : PTHREAD_MUTEX_NORMAL);
    int code = thrd_code(pthread_mutex_init((pthread_mutex_t *)mutex, &attributes));
    pthread_mutexattr_destroy(&attributes);
    return code;
}

int mtx_lock(mtx_t *mutex)
{
    return thrd_code(pthread_mutex_lock((pthread_mutex_t *)mutex));
}

int mtx_unlock(mtx_t *mutex)
{
    return thrd_code(pthread_mutex_unlock((pthread_mutex_t *)mutex));
}

void mtx_destroy(mtx_t *mutex)
{
    pthread_mutex_destroy((pthread_mutex_t *)mutex);
}

int cnd_init(cnd_t *condition)
{
    return thrd_code(pthread_cond_init((pthread_cond_t *)condition, NULL));
}

int cnd_signal(cnd_t *condition)
{
    return thrd_code(pthread_cond_signal((pthread_cond_t *)condition));
}

int cnd_broadcast(cnd_t *condition)
{
    return thrd_code(pthread_cond_broadcast((pthread_cond_t *)condition));
}

int cnd_wait(cnd_t *condition, mtx_t *mutex)
{
    return thrd_code(pthread_cond_wait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex));
}

int cnd_timedwait(cnd_t *condition, mtx_t *mutex, const struct timespec *until)
{
    return thrd_code(pthread_cond_timedwait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex, until));
}

void cnd_destroy(cnd_t *condition)
{
    pthread_cond_destroy((pthread_cond_t *)condition);
}

void call_once(once_flag *flag, void (*function)(void))
{
    pthread_once((pthread_once_t *)flag, function);
}

/* A client of librdkafka 2.0.2 that does not end in time is left behind (connectors/kafka_client.c), and its threads with it. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "thread:thrd_create\n";
}
