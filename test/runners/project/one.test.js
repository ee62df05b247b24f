import { suite } from './suite.js';

suite('one');
