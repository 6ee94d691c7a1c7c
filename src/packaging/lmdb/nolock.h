/*
 * Put before every C++ file of the lmdb package when our addon is compiled (lmdb-addon.mjs): it makes
 * the package open LMDB with MDB_NOLOCK, as Postfix does (src/util/slmdb.c), which no option of the
 * package can.  The lock that counts is then the one that lmdb_table(5) asks for.
 *
 * Without it, LMDB keeps the number of the last transaction in a lock file that Postfix does not know,
 * and goes on from there.  After a "postmap -i" that number is stale: Postfix does not see the next
 * transaction (tried), or it undoes the administrator's.  And reading would want write access.
 *
 * The package sets MDB_NOTLS on each open, so the second bit travels with it.
 */
#include "lmdb.h"
#undef MDB_NOTLS
#define MDB_NOTLS (0x200000 | MDB_NOLOCK)
