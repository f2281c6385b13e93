namespace Concertina.Compute.Store.Pages;

/// <summary>Whose units a page file holds, and what gives their bytes a meaning.</summary>
/// <param name="Session">Session, tenant, model and epoch of the owner.</param>
/// <param name="Formats">
/// Names the determinism class, the KV profile, the ladder and the forms of units: units of other formats are refused.
/// </param>
internal readonly record struct PageFileOwner(SessionIdentity Session, string Formats);
