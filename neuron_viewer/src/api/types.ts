/** Short names for the wire types of `client/schema.d.ts`, which is generated from the server. */
import type { components } from "./client/schema";

type Schemas = components["schemas"];

export type DebugRequest = Schemas["DebugRequest"];
export type CaseSpec = Schemas["CaseSpec"];
export type InterventionSpec = CaseSpec["interventions"][number];
export type TraceSpec = Schemas["TraceSpec"];
export type DebugResponse = Schemas["DebugResponse"];
export type CaseResult = Schemas["CaseResult"];
export type NodeRow = Schemas["NodeRow"];
export type NodeValues = Schemas["NodeValues"];
export type Token = Schemas["Token"];
export type NextToken = Schemas["NextToken"];
export type ObjectiveValue = Schemas["ObjectiveValue"];
export type ModelResponse = Schemas["ModelResponse"];
export type Example = Schemas["Example"];
export type MeasureRequest = Schemas["MeasureRequest"];
export type MeasureResponse = Schemas["MeasureResponse"];
export type MeasuredEffect = Schemas["MeasuredEffect"];
export type NodeTokensRequest = Schemas["NodeTokensRequest"];
export type NodeTokens = Schemas["NodeTokens"];
export type TokenScore = Schemas["TokenScore"];
export type LensRequest = Schemas["LensRequest"];
export type LensResponse = Schemas["LensResponse"];
export type ActivationsResponse = Schemas["ActivationsResponse"];
export type ComponentTokensResponse = Schemas["ComponentTokensResponse"];
export type SelfCheckResponse = Schemas["SelfCheckResponse"];
export type SelfCheckClaim = Schemas["SelfCheckClaim"];
export type Objective = CaseSpec["objective"];
export type NodeKind = NodeRow["kind"];
