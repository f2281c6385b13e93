namespace Concertina.Compute.Attention;

/// <summary>Slots From to To - 1 of a page.</summary>
internal readonly record struct SlotRange(int From, int To);
