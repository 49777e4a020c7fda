/* segment_log.c - what is appended to a segment as a record of Berkeley DB's log,
 * and its recovery.
 *
 * The record is of the transaction whose rows say where the articles are. It is
 * logged after the file was written: what a crash leaves there without a record
 * is behind the last committed frame, and is written over. A recovery runs the
 * records of committed transactions since the last checkpoint; there is nothing
 * to undo.
 *
 * Such a record is type u32, transaction u32, the transaction's record before it
 * (file u32, offset u32), as Berkeley DB wants it, in the machine's byte order;
 * then segment u32, offset u32, length u32 and the octets. As there is nothing to
 * undo it need not be on the transaction's way back, so it is put as it stands:
 * log_put_record would compose it in memory of its own, a copy of each article
 * and 256 KB to be had from the system. One that names none before it would be
 * taken for a transaction's first, so it names what is never followed.
 */
#include "store/private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#define RECORD_APPEND (DB_user_BEGIN + 0u)
#define RECORD_MARK   (DB_user_BEGIN + 1u)
#define FIXED	      16u /* Berkeley DB's own part */
#define NOT_THE_FIRST 1u  /* a file of the log */

static void
number_put(uint8_t *to, uint32_t number)
{
	memcpy(to, &number, sizeof number);
}

int
store_segment_log(struct store_txn *txn, uint32_t segment, uint64_t offset,
    uint8_t *record, size_t len)
{
	DB_ENV *env = txn->reader.store->env;
	DB_TXN *db_txn = txn->reader.txn;
	DB_LSN lsn;
	DBT dbt;

	if (offset > UINT32_MAX || len > UINT32_MAX - STORE_RECORD_HEAD)
		return -EFBIG;
	memset(record, 0, FIXED);
	number_put(record, RECORD_APPEND);
	number_put(record + 4, db_txn->id(db_txn));
	number_put(record + 8, NOT_THE_FIRST);
	number_put(record + FIXED, segment);
	number_put(record + FIXED + 4, (uint32_t)offset);
	number_put(record + FIXED + 8, (uint32_t)len);
	memset(&dbt, 0, sizeof dbt);
	dbt.data = record;
	dbt.size = (u_int32_t)(STORE_RECORD_HEAD + len);
	/* Only encryption would change it in its place. */
	return store_error(env->log_put(env, &lsn, &dbt, DB_LOG_NOCOPY));
}

/* ---- checkpoints ------------------------------------------------------ */

/* A transaction is where its first record is, if that is on its way back. */
static int
mark_put(DB_ENV *env, DB_TXN *txn)
{
	DB_LOG_RECSPEC form[] = {
		{ LOGREC_ARG, 0, "segment", "" },
		{ LOGREC_ARG, 0, "offset", "" },
		{ LOGREC_ARG, 0, "length", "" },
		{ LOGREC_Done, 0, "", "" },
	};
	DB_LSN lsn;

	return env->log_put_record(env, NULL, txn, &lsn, 0, RECORD_MARK, 0,
	    STORE_RECORD_HEAD, form, 0, 0, 0);
}

int
store_segment_hold(struct store *store, DB_TXN **hold_r)
{
	DB_ENV *env = store->env;
	int ret = env->txn_begin(env, NULL, hold_r, DB_TXN_NOSYNC);

	if (ret != 0) {
		*hold_r = NULL;
		return store_error(ret);
	}
	ret = mark_put(env, *hold_r);
	if (ret != 0) {
		(void)(*hold_r)->abort(*hold_r);
		*hold_r = NULL;
	}
	return store_error(ret);
}

int
store_segment_let_go(DB_TXN *hold)
{
	return hold == NULL ? 0
			    : store_error(hold->commit(hold, DB_TXN_NOSYNC));
}

/* ---- recovery --------------------------------------------------------- */

/* Nothing after the recovery's own checkpoint would sync it. */
static int
append_redo(const char *directory, const struct store_segment_record *record)
{
	struct store_segments *segments;
	int rc = store_segments_new(&segments, directory);

	if (rc == 0)
		rc = store_segment_write(segments, record->segment,
		    record->offset, record->bytes, record->len);
	if (rc == 0)
		rc = store_segments_sync(segments);
	store_segments_free(&segments);
	return rc;
}

int
store_segment_record_parse(const uint8_t *bytes, size_t len,
    struct store_segment_record *record_r)
{
	if (len < STORE_RECORD_HEAD)
		return -EBADMSG;
	memcpy(&record_r->type, bytes, sizeof record_r->type);
	memcpy(&record_r->before.file, bytes + 8, sizeof(uint32_t));
	memcpy(&record_r->before.offset, bytes + 12, sizeof(uint32_t));
	bytes += FIXED;
	memcpy(&record_r->segment, bytes, sizeof record_r->segment);
	memcpy(&record_r->offset, bytes + 4, sizeof record_r->offset);
	memcpy(&record_r->len, bytes + 8, sizeof record_r->len);
	record_r->bytes = bytes + 12;
	if (record_r->type != RECORD_APPEND && record_r->type != RECORD_MARK)
		return -EBADMSG;
	if (record_r->type == RECORD_APPEND && record_r->segment == 0)
		return -EBADMSG;
	return record_r->len > len - STORE_RECORD_HEAD ? -EBADMSG : 0;
}

int
store_segment_dispatch(DB_ENV *env, DBT *log_record, DB_LSN *lsn,
    db_recops what)
{
	struct store_segment_record record;
	const char *directory;
	int ret;

	if (store_segment_record_parse(log_record->data, log_record->size,
		&record) != 0)
		return EINVAL;
	/* The way back through the transaction is asked from here. */
	*lsn = record.before;
	if (record.type != RECORD_APPEND ||
	    (what != DB_TXN_FORWARD_ROLL && what != DB_TXN_APPLY))
		return 0;
	ret = env->get_home(env, &directory);
	return ret != 0 ? ret : -append_redo(directory, &record);
}
