namespace Concertina.Tokenization;

/// <summary>A stretch of a rendered chat with one origin, in UTF-16 units.</summary>
/// <param name="Start">First unit.</param>
/// <param name="Length">Count of units, at least 1.</param>
/// <param name="FromTemplate">True if the template's author wrote it, false if it came out of the conversation.</param>
public readonly record struct ChatSegment(int Start, int Length, bool FromTemplate);
