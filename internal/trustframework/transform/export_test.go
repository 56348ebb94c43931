package transform

// Names are those of all methods.
var Names = names
