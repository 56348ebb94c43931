package host

// The decoders of what the kernel and the command print.
var (
	ParseStat  = parseStat
	ParseKey   = parseKey
	Labelled   = labelled
	ParseSyncs = parseSyncs
)
