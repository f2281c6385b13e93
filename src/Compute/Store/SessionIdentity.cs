namespace Concertina.Compute.Store;

/// <summary>Whose tokens a file holds and which owner may write it.</summary>
/// <param name="Key">Session key, <c>tenant/session</c>.</param>
/// <param name="TenantId">Tenant.</param>
/// <param name="ModelHash">Hash of the model that gave the token ids their meaning.</param>
/// <param name="Epoch">Epoch of this owner; a file with a higher one belongs to a newer owner.</param>
public readonly record struct SessionIdentity(string Key, string TenantId, string ModelHash, long Epoch);
