import type * as actualClient from '../../src/app/client.ts';
import type * as actual from '../../src/app/index.ts';
import type * as contract from '../../src/contract/contract.ts';
import type { ErrorCode, ErrorData } from '../../src/contract/errors.ts';
import type * as declaredClient from '../../types/client.d.ts';
import type * as declared from '../../types/index.d.ts';

// Checked by the compiler, not run: what the package declares is what its entry points are.

export type ClientIsAsDeclared = Fits<typeof actualClient, typeof declaredClient>;
/** A generic function cannot be compared as such; what it answers is, below. */
export type LibraryIsAsDeclared = Fits<typeof actual, Omit<typeof declared, 'parseInput'>>;
export type NothingIsUndeclared = Fits<
  [keyof typeof actual, keyof typeof actualClient],
  [keyof typeof declared, keyof typeof declaredClient]
>;

type Each<Types extends Record<contract.OperationName, unknown>> = Types;
type ActualInputs = Each<{ [Name in contract.OperationName]: contract.Input<Name> }>;
type DeclaredInputs = Each<{ [Name in declared.OperationName]: declared.Input<Name> }>;
type ActualParsedInputs = Each<{ [Name in contract.OperationName]: contract.ParsedInput<Name> }>;
type DeclaredParsedInputs = Each<{ [Name in declared.OperationName]: declared.ParsedInput<Name> }>;
type ActualOutputs = Each<{ [Name in contract.OperationName]: contract.Output<Name> }>;
type DeclaredOutputs = Each<{ [Name in declared.OperationName]: declared.Output<Name> }>;
type ActualErrorData = { [Code in ErrorCode]: ErrorData<Code> };

export type InputsAreTaken = Fits<DeclaredInputs, ActualInputs>;
export type NoInputIsKeptBack = Fits<ActualInputs, DeclaredInputs>;
export type ParsedInputsAreAsDeclared = Fits<ActualParsedInputs, DeclaredParsedInputs>;
export type OutputsAreAsDeclared = Fits<ActualOutputs, DeclaredOutputs>;
export type ErrorDataIsAsDeclared = Fits<ActualErrorData, declared.ErrorData>;

type Fits<Given extends Wanted, Wanted> = [Given, Wanted];
