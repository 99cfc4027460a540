// SPDX-License-Identifier: GPL-2.0-or-later
// target: guest/drm/primegpu_import.c
// fix upstream: none; a mistake of a driver's author
//
// An importer that is told of a move keeps its mapping, and goes on with the
// place where the bytes were.

@keep_mapping@
symbol bo;
@@
 primegpu_import_move_notify(...)
 {
 ...
-primegpu_core_import_unmap(bo);
 }
