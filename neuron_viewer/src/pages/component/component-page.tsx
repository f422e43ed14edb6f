export function ComponentPage() {
  return <main className="comp" aria-label="Component" />;
}
