namespace Concertina.Gateway.Wire.Admin;

/// <summary>One event of <c>GET /admin/events</c>.</summary>
/// <param name="At">Unix time in seconds.</param>
/// <param name="Workers">As in <c>GET /admin/kv</c>.</param>
/// <param name="Sessions">The first page of <c>GET /admin/sessions</c>.</param>
/// <param name="MoreSessions">True when there are others.</param>
internal sealed record ConsoleMoment(double At, KvReport.Worker[] Workers, SessionList.Entry[] Sessions, bool MoreSessions);
