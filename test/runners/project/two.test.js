import { suite } from './suite.js';

suite('two');
