/* loop.h - an event loop and the way into it from other threads.
 */
#ifndef KITH_DAEMON_LOOP_H
#define KITH_DAEMON_LOOP_H

#include <stdbool.h>

struct event_base;
struct loop;

/* A loop with its own base. Functions posted to it run on its thread. */
struct loop *loop_new(void);
void loop_free(struct loop **loop);
struct event_base *loop_base(struct loop *loop);
/* Runs until loop_stop. loop_run_thread starts it in a thread of its own and
 * loop_join waits for that thread. */
void loop_run(struct loop *loop);
int loop_run_thread(struct loop *loop);
void loop_join(struct loop *loop);
/* From any thread. */
void loop_stop(struct loop *loop);
/* Runs fn(arg) on the loop's thread, in order of posting, one wake-up for many.
 * From any thread, the loop's own included (then: after the present callback).
 * Posts that are pending when the loop ends are run by loop_free. */
int loop_post(struct loop *loop, void (*fn)(void *arg), void *arg);
/* One pass without blocking (replay). True if something was done. */
bool loop_turn(struct loop *loop);

/* A few threads for what must not block a loop: password hashing, cold reads,
 * check and backup. work runs on a worker, done on `loop`. */
struct worker_pool;
struct worker_pool *worker_pool_new(unsigned threads);
/* Waits for what was begun; drops nothing that was submitted. What is submitted
 * from then on is refused with -ESHUTDOWN. Accepts NULL. */
void worker_pool_stop(struct worker_pool *pool);
/* The same, and the pool is gone. */
void worker_pool_free(struct worker_pool **pool);
/* True once worker_pool_free was called: what takes long ends itself. Any
 * thread. */
bool worker_pool_is_ending(struct worker_pool *pool);
int worker_submit(struct worker_pool *pool, struct loop *loop,
    void (*work)(void *arg), void (*done)(void *arg), void *arg);

#endif
