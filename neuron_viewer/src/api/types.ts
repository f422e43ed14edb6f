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
export type MonitorExample = Schemas["MonitorExample"];
export type MeasureRequest = Schemas["MeasureRequest"];
export type MeasureResponse = Schemas["MeasureResponse"];
export type MeasuredEffect = Schemas["MeasuredEffect"];
export type NodeTokensRequest = Schemas["NodeTokensRequest"];
export type NodeTokens = Schemas["NodeTokens"];
export type TokenScore = Schemas["TokenScore"];
export type LatentPairsRequest = Schemas["LatentPairsRequest"];
export type LatentPairsResponse = Schemas["LatentPairsResponse"];
export type LensRequest = Schemas["LensRequest"];
export type LensResponse = Schemas["LensResponse"];
export type ActivationsResponse = Schemas["ActivationsResponse"];
export type ComponentTokensResponse = Schemas["ComponentTokensResponse"];
export type ComponentRecord = Schemas["ComponentResponse"];
export type Exemplar = Schemas["ExemplarRecord"];
export type Statistics = Schemas["RecordStatistics"];
export type Explanation = Schemas["ExplanationRecord"];
export type SimilarResponse = Schemas["SimilarResponse"];
export type AblationEffectResponse = Schemas["AblationEffectResponse"];
export type DatasetInfo = Schemas["DatasetInfo"];
export type SelfCheckResponse = Schemas["SelfCheckResponse"];
export type SelfCheckClaim = Schemas["SelfCheckClaim"];
export type Objective = CaseSpec["objective"];
export type NodeKind = NodeRow["kind"];
export type Conversation = Pick<
  Schemas["MonitorTokensRequest"],
  "prompt" | "messages" | "prefix_tokens" | "interventions" | "concepts" | "dataset"
>;
export type ConceptSpec = Schemas["ConceptSpec"];
export type ConversationToken = Schemas["ConversationToken"];
export type TokenStatistics = Schemas["TokenStatistics"];
export type Alternative = Schemas["Alternative"];
export type MonitorTokensRequest = Schemas["MonitorTokensRequest"];
export type MonitorTokensResponse = Schemas["MonitorTokensResponse"];
export type GenerateRequest = Schemas["GenerateRequest"];
export type GeneratedToken = Schemas["GeneratedToken"];
export type CompareRequest = Schemas["CompareRequest"];
export type CompareResponse = Schemas["CompareResponse"];
export type ComparedToken = Schemas["ComparedToken"];
export type InfluenceRequest = Schemas["InfluenceRequest"];
export type InfluenceResponse = Schemas["InfluenceResponse"];
export type InfluenceItem = Schemas["InfluenceItem"];
export type ClustersRequest = Schemas["ClustersRequest"];
export type ClustersResponse = Schemas["ClustersResponse"];
export type Cluster = Schemas["Cluster"];
export type SteerPreviewRequest = Schemas["SteerPreviewRequest"];
export type SteerMatch = Schemas["SteerMatch"];
export type SweepRequest = Schemas["SweepRequest"];
export type SweepResponse = Schemas["SweepResponse"];
export type SweepCell = Schemas["SweepCell"];
