export function SelfCheckPage() {
  return <main className="comp" aria-label="Self-check" />;
}
