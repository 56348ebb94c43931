// Package exam is the exam of what runs B2C policies: policies of our own making, with all that they reach, step by step.
package exam
