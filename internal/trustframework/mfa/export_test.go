package mfa

// Texts are the default texts by message key.
var Texts = texts
