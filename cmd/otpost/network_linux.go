package main

import "syscall"

// networkFileSystems are the magic numbers of file systems whose locks cross a network (statfs(2)): NFS, SMB, CIFS, SMB2,
// AFS, Ceph, 9P.
var networkFileSystems = map[int64]bool{0x6969: true, 0x517b: true, 0xff534d42: true, 0xfe534d42: true, 0x5346414f: true, 0x00c36400: true,
	0x01021997: true}

// onNetwork reports whether a file is known to lie on a network file system.
func onNetwork(path string) bool {
	var s syscall.Statfs_t
	return syscall.Statfs(path, &s) == nil && networkFileSystems[int64(uint32(s.Type))]
}
