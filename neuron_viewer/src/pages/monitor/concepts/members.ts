/** What is steered when a concept or a component is. */
import type { Cluster } from "@/api/types";

export function memberOf({ component, side }: { component: string; side: "positive" | "negative" }) {
  return { component, side };
}

export function membersOf(cluster: Cluster) {
  return { name: cluster.name, members: cluster.members.map(memberOf) };
}
