package mfa

// Texts are the default texts by message key.
var Texts = texts

// OneLine is what a name in a message is brought to.
var OneLine = oneLine
