/* The requests of ioctl(2) that change a file or a file system, beside what is written through a descriptor that was opened
 * for writing. One table for both observers. */
#ifndef ROGATE_AGENT_IOCTLS_H
#define ROGATE_AGENT_IOCTLS_H

/* As _IOC of asm-generic/ioctl.h makes them for x86: direction, size, type, number. */
#define REQUEST(direction, size, type, number) \
    ((unsigned int)(direction) << 30 | (unsigned int)(size) << 16 | (unsigned int)(type) << 8 | (unsigned int)(number))
#define GIVES(size, type, number) REQUEST(1, size, type, number)
#define ASKS(size, type, number) REQUEST(2, size, type, number)
#define BOTH(size, type, number) REQUEST(3, size, type, number)
#define PLAIN(type, number) REQUEST(0, 0, type, number)

static const unsigned int changing_ioctls[] = {
    /* include/uapi/linux/fs.h; those of four bytes are as a 32-bit process numbers them (fs/compat_ioctl.c) */
    GIVES(8, 'f', 2), GIVES(4, 'f', 2), /* FS_IOC_SETFLAGS */
    GIVES(8, 'v', 2), GIVES(4, 'v', 2), /* FS_IOC_SETVERSION */
    GIVES(28, 'X', 32),                 /* FS_IOC_FSSETXATTR */
    GIVES(256, 0x94, 50),               /* FS_IOC_SETFSLABEL */
    /* include/uapi/linux/fsverity.h, fscrypt.h */
    GIVES(128, 'f', 133), /* FS_IOC_ENABLE_VERITY */
    ASKS(12, 'f', 19),    /* FS_IOC_SET_ENCRYPTION_POLICY */
    /* include/uapi/linux/ext4.h */
    GIVES(8, 'f', 4), GIVES(4, 'f', 4),   /* EXT4_IOC_SETVERSION */
    GIVES(8, 'f', 7), GIVES(4, 'f', 7),   /* EXT4_IOC_GROUP_EXTEND */
    GIVES(40, 'f', 8), GIVES(44, 'f', 8), /* EXT4_IOC_GROUP_ADD */
    PLAIN('f', 9),                        /* EXT4_IOC_MIGRATE */
    PLAIN('f', 12),                       /* EXT4_IOC_ALLOC_DA_BLKS */
    GIVES(8, 'f', 16),                    /* EXT4_IOC_RESIZE_FS */
    PLAIN('f', 17),                       /* EXT4_IOC_SWAP_BOOT */
    GIVES(8, 'f', 44),                    /* EXT4_IOC_SETFSUUID */
    /* fs/xfs/libxfs/xfs_fs.h */
    GIVES(16, 'X', 110), GIVES(24, 'X', 111), GIVES(8, 'X', 112), /* XFS_IOC_FSGROWFSDATA, …LOG, …RT */
    BOTH(192, 'X', 109),                                          /* XFS_IOC_SWAPEXT */
    GIVES(96, 'X', 123),                                          /* XFS_IOC_ATTRMULTI_BY_HANDLE */
    /* include/uapi/linux/btrfs.h */
    GIVES(4096, 0x94, 1), GIVES(4096, 0x94, 14),
    GIVES(4096, 0x94, 15), /* BTRFS_IOC_SNAP_CREATE, SUBVOL_CREATE, SNAP_DESTROY */
    GIVES(4096, 0x94, 23), GIVES(4096, 0x94, 24), GIVES(4096, 0x94, 63), /* … their second versions */
    GIVES(4096, 0x94, 2), GIVES(4096, 0x94, 3), GIVES(48, 0x94, 16),     /* BTRFS_IOC_DEFRAG, RESIZE, DEFRAG_RANGE */
    GIVES(8, 0x94, 19),                                                  /* BTRFS_IOC_DEFAULT_SUBVOL */
    GIVES(8, 0x94, 26),                                                  /* BTRFS_IOC_SUBVOL_SETFLAGS */
    BOTH(200, 0x94, 37), BOTH(192, 0x94, 37),                            /* BTRFS_IOC_SET_RECEIVED_SUBVOL */
    GIVES(48, 0x94, 57),                                                 /* BTRFS_IOC_SET_FEATURES */
    /* include/uapi/linux/f2fs.h */
    PLAIN(0xf5, 1), PLAIN(0xf5, 5), /* F2FS_IOC_START_ATOMIC_WRITE, ABORT_ATOMIC_WRITE */
    GIVES(4, 0xf5, 13),             /* F2FS_IOC_SET_PIN_FILE */
};

#endif
