#!/usr/bin/env node
/** What is started by its name: the program in the bundle (src/main.ts), compiled beforehand where it could be. */
import { loadProgram, startProgram } from './compiled.ts';

startProgram(loadProgram(import.meta.dirname), import.meta.dirname);
