import { NavLink } from "react-router";

export function TopBar() {
  return (
    <header className="top">
      <NavLink className="brand" to="/">
        Transformer Debugger
      </NavLink>
      <nav className="nav" aria-label="Pages">
        <NavLink to="/">Debugger</NavLink>
        <NavLink to="/self-check">Self-check</NavLink>
      </nav>
    </header>
  );
}
