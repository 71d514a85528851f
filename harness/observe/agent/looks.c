#include "looks.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096
#define MAX_LOOKS 65536
#define RECENT 64 /* changes that can be told before an attempt that was made earlier */

/* By a name on its way, or by its file's number; the newest first. */
struct entry {
    struct entry* next;
    uint64_t number; /* of the look */
    struct passed passed;
    bool is_file;
};
struct live {
    struct look look;
    char* what;
    bool doubted_mount, doubted_state;
    unsigned int spared; /* changes that came after the look, as what was there tells */
};

static struct entry* buckets[BUCKETS];
static struct live lives[MAX_LOOKS];
static uint64_t first_live, next_live; /* numbers, which are never used again */
static struct change recent[RECENT];
static size_t recent_count;

uint64_t name_hash(const char* name) {
    uint64_t hash = 0xcbf29ce484222325ULL;
    for (; *name; name++) hash = (hash ^ (unsigned char)*name) * 0x100000001b3ULL;
    return hash | 1;
}

static struct live* live_of(uint64_t number) {
    return &lives[number % MAX_LOOKS];
}

static struct entry** bucket_of(uint64_t key) {
    return &buckets[(key ^ key >> 32 ^ key >> 12) % BUCKETS];
}

/* What is behind a look that is over is over as well. */
static void free_from(struct entry** from) {
    struct entry* each = *from;
    *from = NULL;
    while (each) {
        struct entry* next = each->next;
        free(each);
        each = next;
    }
}

static void end_oldest(void) {
    free(live_of(first_live)->what);
    live_of(first_live)->what = NULL;
    first_live++;
}

static bool is_in_time(const struct look* look, const struct change* change) {
    return change->time >= look->called && change->time <= look->looked + LOOK_GRACE_NS;
}

/* Where the name was is not known of processes that have ended. Names like "1" are changed somewhere all the time, so that
 * the name alone counts for refusals only, by which a mount could be called safe. */
static bool is_same_place(const struct look* look, const struct passed* passed, const struct change* change) {
    if (passed->name != change->name) return false;
    if (!change->knows_place) return look->refused;
    return passed->device == change->device && passed->directory == change->directory;
}

/* A symlink, or what may have been one, was on the way. That a directory was moved takes nobody to another mount, and neither
 * does a file that was moved off its name. What a file has taken the place of, or what was taken away, is hardly ever a
 * symlink where it is the last name, and the attempt succeeded; where it was refused, it has to be reckoned with. */
static bool leads_elsewhere(const struct look* look, const struct passed* passed, const struct change* change) {
    if (change->object == OBJECT_LINK) return true;
    if (change->object == OBJECT_DIRECTORY) return false;
    if (change->object == OBJECT_OTHER && change->moved_off) return false;
    return !passed->last || look->refused;
}

static void doubt_mount(struct live* live, const struct look_doubts* doubts) {
    if (live->doubted_mount || live->look.mount_known) return;
    live->doubted_mount = true;
    doubts->of_mount(&live->look);
}

static void doubt_state(struct live* live, const struct look_doubts* doubts) {
    if (live->doubted_state || !live->look.no_op) return;
    live->doubted_state = true;
    doubts->of_state(&live->look);
}

/* What is told until a little after the look has mostly happened after it. Then what was called so at the look is what had
 * been there before: not what has the name now, or what has another name now. Of several changes that tells nothing. */
static bool came_after_look(struct live* live, const struct passed* passed, const struct change* change) {
    if (!change->of_name || change->object == OBJECT_UNKNOWN || change->time < live->look.looked) return false;
    if ((passed->seen_inode == change->object_inode && passed->seen_device == change->object_device) !=
        change->moved_off)
        return false;
    return passed->seen_inode && ++live->spared <= 2;
}

static void compare(struct live* live, const struct passed* passed, const struct change* change,
                    const struct look_doubts* doubts) {
    if (!is_in_time(&live->look, change) || !is_same_place(&live->look, passed, change)) return;
    if (came_after_look(live, passed, change)) return;
    doubt_state(live, doubts);
    if (change->of_name && !passed->entry && leads_elsewhere(&live->look, passed, change)) doubt_mount(live, doubts);
}

static void compare_file(struct live* live, const struct change* change, const struct look_doubts* doubts) {
    if (!is_in_time(&live->look, change) || live->look.inode != change->inode) return;
    if (change->knows_device && live->look.device != change->file_device) return;
    doubt_state(live, doubts);
}

static void add_entry(uint64_t key, const struct passed* passed, bool is_file) {
    struct entry** bucket = bucket_of(key);
    struct entry* made = malloc(sizeof *made);
    if (!made) return;
    *made = (struct entry){*bucket, next_live, *passed, is_file};
    *bucket = made;
}

void looks_add(const struct look* look, const struct passed* names, size_t count, const struct look_doubts* doubts) {
    struct live* live = live_of(next_live);
    if (next_live - first_live == MAX_LOOKS) { /* it cannot be told any more whether it led there */
        doubt_mount(live_of(first_live), doubts);
        doubt_state(live_of(first_live), doubts);
        end_oldest();
    }
    *live = (struct live){*look, strdup(look->what), false, false, 0};
    live->look.what = live->what ? live->what : "";
    for (size_t i = 0; i < count; i++) add_entry(names[i].name, &names[i], false);
    if (look->no_op && look->inode) add_entry(look->inode, &(struct passed){0}, true);
    next_live++;
    for (size_t each = 0; each < RECENT && each < recent_count; each++) {
        const struct change* change = &recent[each];
        for (size_t i = 0; i < count; i++) compare(live, &names[i], change, doubts);
        if (change->knows_file) compare_file(live, change, doubts);
    }
}

static void compare_all(uint64_t key, bool of_file, const struct change* change, const struct look_doubts* doubts) {
    for (struct entry** at = bucket_of(key); *at; at = &(*at)->next) {
        struct live* live = live_of((*at)->number);
        if ((*at)->number < first_live) {
            free_from(at);
            return;
        }
        if ((*at)->is_file != of_file) continue;
        if (of_file)
            compare_file(live, change, doubts);
        else
            compare(live, &(*at)->passed, change, doubts);
    }
}

void looks_change(const struct change* change, const struct look_doubts* doubts) {
    recent[recent_count++ % RECENT] = *change;
    /* Where it is known which file it is, its name tells nothing more. */
    if (change->name && (change->of_name || !change->knows_file)) compare_all(change->name, false, change, doubts);
    if (change->knows_file) compare_all(change->inode, true, change, doubts);
}

bool looks_want(uint64_t name, bool of_name) {
    if (!of_name) { /* any look's file can have other names */
        for (uint64_t number = first_live; number < next_live; number++)
            if (live_of(number)->look.no_op) return true;
        return false;
    }
    for (struct entry* each = *bucket_of(name); each && each->number >= first_live; each = each->next)
        if (!each->is_file && each->passed.name == name) return true;
    return false;
}

void looks_told_until(uint64_t time) {
    while (first_live < next_live && live_of(first_live)->look.looked + LOOK_GRACE_NS < time) end_oldest();
}

size_t looks_live(void) {
    return (size_t)(next_live - first_live);
}

void looks_forget(unsigned int slot) {
    for (uint64_t number = first_live; number < next_live; number++)
        if (live_of(number)->look.slot == slot) live_of(number)->doubted_mount = live_of(number)->doubted_state = true;
}
