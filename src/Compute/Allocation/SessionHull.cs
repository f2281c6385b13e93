namespace Concertina.Compute.Allocation;

/// <summary>Lower hulls of (bytes, cost) of sessions over the rungs they may be on.</summary>
internal sealed class SessionHull(PlanLadder ladder)
{
    private readonly (int Rung, double Bytes, double Cost)[] _points = new (int, double, double)[PlanLadder.MostRungs];

    /// <summary>Writes a session's hull, from most bytes to fewest.</summary>
    /// <param name="session">The session.</param>
    /// <param name="steps">Receives its points.</param>
    /// <param name="count">Points written, at least 1.</param>
    /// <returns>Bytes at the first point.</returns>
    public double Append(in PlanSession session, Span<HullStep> steps, out int count)
    {
        int points = 0;
        for (int rung = 0; rung < ladder.Count; rung++)
        {
            if (ladder.Allows(session, rung))
            {
                points = Add(points, (rung, ladder.Bytes(session, rung), ladder.Cost(session, rung)));
            }
        }
        for (int point = 0; point < points; point++)
        {
            (int rung, double bytes, double cost) = _points[point];
            double freed = point == 0 ? 0 : _points[point - 1].Bytes - bytes;
            steps[point] = new HullStep(rung, freed, point == 0 ? 0 : (cost - _points[point - 1].Cost) / freed);
        }
        count = points;
        return _points[0].Bytes;
    }

    // Rungs come by bytes, most first.
    private int Add(int points, (int Rung, double Bytes, double Cost) next)
    {
        // Fewer or as many bytes at no more cost make what came before useless.
        while (points > 0 && _points[points - 1].Cost >= next.Cost)
        {
            points--;
        }
        if (points > 0 && _points[points - 1].Bytes <= next.Bytes)
        {
            return points;
        }
        while (points > 1 && IsAbove(_points[points - 2], _points[points - 1], next))
        {
            points--;
        }
        _points[points] = next;
        return points + 1;
    }

    private static bool IsAbove(
        (int Rung, double Bytes, double Cost) left, (int Rung, double Bytes, double Cost) middle, (int Rung, double Bytes, double Cost) right) =>
        (middle.Cost - left.Cost) * (left.Bytes - right.Bytes) >= (right.Cost - left.Cost) * (left.Bytes - middle.Bytes);
}
