package host

import (
	"fmt"
	"syscall"
)

// FileSystem names the kind of file system that holds a folder (statfs(2)). A kind that keeps files in memory makes
// durability cost nothing, so its name says so.
func FileSystem(dir string) string {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return "an unknown file system"
	}
	switch uint32(s.Type) {
	case 0xef53:
		return "ext4"
	case 0x58465342:
		return "xfs"
	case 0x9123683e:
		return "btrfs"
	case 0x2fc12fc1:
		return "zfs"
	case 0x794c7630:
		return "overlayfs"
	case 0x01021994:
		return "tmpfs (memory: nothing is durable)"
	case 0x858458f6:
		return "ramfs (memory: nothing is durable)"
	}
	return fmt.Sprintf("file system %#x", uint32(s.Type))
}
